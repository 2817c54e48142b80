/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory is read of a VM that is stopped, as its vCPU addresses it. */
#include "hv/monitor/examine_job.h"

#include <string.h>

#include "hv/guest/guest_paging.h"
#include "hv/monitor/job.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/still.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

static char said[1024];
static struct vcpu vcpu[2];
static struct vm vm = {.vcpu = vcpu, .n_vcpus = 2};
static bool has_ended, has_stopped;
static unsigned n_ends;
static const struct job *begun;

uint64_t tsc_hz;

void console_write_raw(const char *text, size_t len)
{
	strncat(said, text, len);
}

void job_begin(const struct job *job)
{
	begun = job;
}

void still_begin(struct still *still, struct vm *of)
{
	*still = (struct still){.index = of->index};
}

bool still_look(struct still *still)
{
	still->vm = has_stopped ? &vm : NULL;
	return !has_ended;
}

void still_end(struct still *still)
{
	n_ends++;
}

void vcpu_read_saved_paging(const struct vcpu *of, struct guest_memory *memory,
			    struct guest_paging *ret)
{
	assert_ptr_equal(memory, &vm.memory);
	*ret = (struct guest_paging){.memory = memory, .cr3 = of == &vcpu[1] ? 0x5000 : 0};
}

uint64_t registers_value(const struct vcpu *of, unsigned reg)
{
	assert_ptr_equal(of, &vcpu[1]);
	return reg == RSP ? 0x100 : 0x200;
}

/* There is memory up to 0x220. */
static enum status read(uint64_t address, void *buf, size_t len)
{
	assert_int_equal(vm.lock.next, vm.lock.serving + 1);
	memset(buf, 0x11, len);
	return address + len <= 0x220 ? OK : ERR_RANGE;
}

enum status guest_read(struct guest_memory *memory, gpa_t gpa, void *buf, size_t len)
{
	return read(gpa.raw, buf, len);
}

enum status guest_peek_linear(struct guest_paging *paging, uint64_t linear, void *buf, size_t len)
{
	assert_int_equal(paging->cr3, 0x5000);
	return read(linear - 0x1000, buf, len);
}

static void run(const struct examine *examine)
{
	*said = '\0';
	examine_job(&vm, 1, examine);
	for (unsigned i = 0; begun->step() != JOB_IS_DONE; i++) {
		has_stopped = true;
		assert_in_range(i, 0, 10);
	}
	begun->end();
}

static int set_up(void **state)
{
	has_stopped = has_ended = false;
	n_ends = 0;
	return 0;
}

static void physical_memory_is_shown_up_to_its_end(void **state)
{
	run(&(struct examine){.n_left = 32,
			      .format = 'x',
			      .size = 8,
			      .is_physical = true,
			      .reg = EXAMINE_RIP,
			      .address = 0x10});
	assert_string_equal(said, "0000000000000210: 0x1111111111111111 0x1111111111111111\n"
				  "0000000000000220: Cannot access memory\n");
	assert_int_equal(n_ends, 1);
}

static void linear_memory_is_that_of_the_chosen_vcpu(void **state)
{
	run(&(struct examine){
		.n_left = 20, .format = 'x', .size = 4, .reg = RSP, .address = 0xf00});
	assert_string_equal(said, "0000000000001000: 0x11111111 0x11111111 0x11111111 0x11111111\n"
				  "0000000000001010: 0x11111111\n");
}

static void the_vm_may_end_before_it_stops(void **state)
{
	has_ended = true;
	run(&(struct examine){.n_left = 4, .format = 'x', .size = 4, .reg = EXAMINE_NO_REGISTER});
	assert_string_equal(said, "Error: the VM has ended\n");
	assert_int_equal(n_ends, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(physical_memory_is_shown_up_to_its_end, set_up),
		cmocka_unit_test_setup(linear_memory_is_that_of_the_chosen_vcpu, set_up),
		cmocka_unit_test_setup(the_vm_may_end_before_it_stops, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
