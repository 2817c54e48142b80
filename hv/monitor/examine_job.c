/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/examine_job.h"

#include "hv/guest/guest_paging.h"
#include "hv/monitor/job.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/say.h"
#include "hv/monitor/still.h"
#include "hv/vcpu/saved_paging.h"

static struct {
	struct still still;
	struct examine examine;
	unsigned cpu;
} job;

static enum status read_linear(const struct vcpu *vcpu, struct guest_memory *memory, void *buf,
			       size_t len)
{
	struct guest_paging paging;

	vcpu_read_saved_paging(vcpu, memory, &paging);
	return guest_peek_linear(&paging, job.examine.address, buf, len);
}

static enum status read_bytes(struct vm *vm, void *buf, size_t len)
{
	enum status status;

	lock_acquire(&vm->lock);
	if (job.examine.is_physical)
		status = guest_read(&vm->memory, (gpa_t){job.examine.address}, buf, len);
	else
		status = read_linear(vm_vcpu(vm, job.cpu), &vm->memory, buf, len);
	lock_release(&vm->lock);
	return status;
}

static enum job_state say_line(struct vm *vm)
{
	uint8_t bytes[EXAMINE_BYTES_MAX];
	char line[EXAMINE_LINE_MAX];
	enum status status = read_bytes(vm, bytes, examine_line_bytes(&job.examine));

	examine_line(&job.examine, status == OK ? bytes : NULL, line);
	say("%s", line);
	return examine_line_bytes(&job.examine) > 0 ? JOB_GOES_ON : JOB_IS_DONE;
}

static void add_register(const struct vm *vm)
{
	int reg = job.examine.reg;

	if (reg != EXAMINE_NO_REGISTER)
		job.examine.address += registers_value(vm_vcpu(vm, job.cpu), (unsigned)reg);
	job.examine.reg = EXAMINE_NO_REGISTER;
}

static enum job_state step(void)
{
	if (job.still.vm == NULL && !still_look(&job.still)) {
		say("Error: the VM has ended");
		return JOB_IS_DONE;
	}
	if (job.still.vm == NULL)
		return JOB_WAITS;
	add_register(job.still.vm);
	return say_line(job.still.vm);
}

static void let_go(void)
{
	still_end(&job.still);
}

void examine_job(struct vm *vm, unsigned cpu, const struct examine *examine)
{
	static const struct job steps = {.step = step, .end = let_go};

	job.examine = *examine;
	job.cpu = cpu;
	still_begin(&job.still, vm);
	job_begin(&steps);
}
