/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the sections, and the two sections about the whole machine, CPUID and clock. The
 * sections that another machine may have to refuse come first.
 */
#include "hv/vm/state.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/cpuid_fit.h"
#include "hv/vcpu/pvclock.h"
#include "hv/vm/state_device.h"
#include "hv/vm/state_machine.h"
#include "hv/vm/state_vcpu.h"

#define ARRAY_OF_WORDS(member) \
	{ \
#member, offsetof(struct cpuid_model, member), \
			STATE_SIZE(struct cpuid_model, member) / 4, 4, UINT32_MAX, 0, false \
	}

/* The model's other members are computed from these. */
static const struct state_field cpuid_fields[] = {
	ARRAY_OF_WORDS(basic),
	ARRAY_OF_WORDS(hypervisor),
	ARRAY_OF_WORDS(kvm),
	ARRAY_OF_WORDS(extended),
	ARRAY_OF_WORDS(sub),
	STATE_FIELD(struct cpuid_model, n_sub, 0x7f),
	STATE_FIELD_SINCE(2, struct cpuid_model, arch_capabilities, UINT64_MAX),
	STATE_FIELD_SINCE(5, struct cpuid_model, clock_tsc, UINT64_MAX),
	STATE_FIELD_SINCE(5, struct cpuid_model, clock_ns, UINT64_MAX),
};
const struct state_table state_cpuid_table = {"cpuid", cpuid_fields, ARRAY_SIZE(cpuid_fields)};

#define NS_PER_SECOND UINT64_C(1000000000)

static void put_cpuid(struct state_writer *writer, const struct cpuid_model *model)
{
	state_begin_section(writer, "cpuid", 0);
	state_put_fields(writer, cpuid_fields, ARRAY_SIZE(cpuid_fields), model);
	state_end_section(writer);
}

static enum status get_cpuid(struct state_reader *reader, const struct vm_state_host *host,
			     struct cpuid_model *model)
{
	memset(model, 0, sizeof(*model));
	TRY(state_read_section(reader, "cpuid", 0));
	TRY(state_get_fields(reader, cpuid_fields, ARRAY_SIZE(cpuid_fields), model));
	return cpuid_model_fit(model, host->cpuid, reader->why, sizeof(reader->why));
}

static void put_clock(struct state_writer *writer, const struct vm_state_host *host)
{
	state_begin_section(writer, "clock", 0);
	state_put_number(writer, host->tsc_hz);
	state_put_number(writer, host->unix_ns);
	state_end_section(writer);
}

static enum status refuse_frequency(struct state_reader *reader, uint64_t there, uint64_t here)
{
	format(reader->why, sizeof(reader->why),
	       "was saved with a TSC of %lu kHz; this machine's has %lu kHz, and the guest's clock "
	       "would be wrong",
	       there / 1000, here / 1000);
	return ERR_UNSUPPORTED;
}

/* Measured frequencies differ from start to start, by parts of a thousand. */
static bool is_like(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= b / 100;
}

/* '*ret_elapsed': by how much the guest's TSC has advanced since the file was written. */
static enum status get_clock(struct state_reader *reader, const struct vm_state_host *host,
			     uint64_t *ret_hz, uint64_t *ret_elapsed)
{
	uint64_t unix_ns, ns;

	TRY(state_read_section(reader, "clock", 0));
	TRY(state_get_number(reader, ret_hz));
	TRY(state_get_number(reader, &unix_ns));
	if (*ret_hz == 0)
		return state_refuse(reader, "the TSC's frequency is 0");
	if (!is_like(*ret_hz, host->tsc_hz))
		return refuse_frequency(reader, *ret_hz, host->tsc_hz);
	/* If this machine's clock is unknown, or behind, the guest's resumes where it was. */
	ns = unix_ns > 0 && host->unix_ns > unix_ns ? host->unix_ns - unix_ns : 0;
	*ret_elapsed = ns / NS_PER_SECOND * host->tsc_hz +
		       ns % NS_PER_SECOND * (host->tsc_hz / 1000) / (NS_PER_SECOND / 1000);
	return OK;
}

/*
 * KVM's clock continues from TSC 'then', which has counted as there, at this machine's frequency.
 * Without a change of frequency what the guest's memory holds stays right.
 */
static void continue_clock(struct vm *vm, struct cpuid_model *model, uint64_t hz_there,
			   uint64_t hz_here, uint64_t then)
{
	if (hz_there == hz_here)
		return;
	model->clock_ns += pvclock_ns(pvclock_scale(hz_there), then - model->clock_tsc);
	model->clock_tsc = then;
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		if (vm_vcpu(vm, i)->guest.kvm.system_time & KVM_MSR_ENABLED)
			vm_vcpu(vm, i)->guest.kvm.system_time |= KVM_CLOCK_IS_BEHIND;
}

static size_t put_all(struct state_writer *writer, const struct vm *vm,
		      const struct vm_state_host *host, const struct saved_head *head)
{
	saved_head_put(writer, head);
	state_put_machine(writer, vm);
	put_cpuid(writer, vm->vcpu->cpuid);
	put_clock(writer, host);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		state_put_vcpu(writer, vm_vcpu(vm, i), host->now);
	state_put_devices(writer, &vm->platform);
	return state_end(writer);
}

size_t vm_state_size(const struct vm *vm)
{
	struct vm_state_host host = {0};
	struct saved_head head = {0};
	struct state_writer writer;

	state_begin(&writer, NULL, "");
	return put_all(&writer, vm, &host, &head);
}

void vm_state_write(const struct vm *vm, const struct vm_state_host *host,
		    const struct saved_head *head, void *to)
{
	struct state_writer writer;

	state_begin(&writer, to, host->release);
	(void)put_all(&writer, vm, host, head);
}

static enum status get_all(struct state_reader *reader, struct vm *vm,
			   const struct vm_state_host *host, struct cpuid_model *model)
{
	struct saved_head head;
	unsigned phys_bits;
	uint64_t tsc_hz = 0, elapsed = 0, then;

	TRY(saved_head_get(reader, &head)); /* the caller has read it */
	TRY(state_check_machine(reader, vm));
	TRY(get_cpuid(reader, host, model));
	TRY(get_clock(reader, host, &tsc_hz, &elapsed));
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		vm_vcpu(vm, i)->cpuid = model;
		TRY(state_get_vcpu(reader, vm_vcpu(vm, i), host->now, elapsed));
	}
	then = host->now + vm->vcpu->guest.tsc_offset - elapsed;
	continue_clock(vm, model, tsc_hz, host->tsc_hz, then - vm->vcpu->guest.tsc_adjust);
	phys_bits = model->extended[8].eax & 0xff;
	vm->platform.phys_bits = phys_bits;
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		irqchip_lapic(&vm->platform.irqchip, i)->phys_bits = (uint8_t)phys_bits;
	TRY(state_get_devices(reader, &vm->platform, tsc_hz, then));
	return state_close(reader);
}

enum status vm_state_read(struct vm *vm, const struct vm_state_host *host,
			  struct vm_state_file *file)
{
	struct state_reader reader;
	enum status status = state_open(&reader, file->data, file->len);

	if (status == OK)
		status = get_all(&reader, vm, host, file->model);
	if (status != OK)
		memcpy(file->why, reader.why, sizeof(file->why));
	return status;
}
