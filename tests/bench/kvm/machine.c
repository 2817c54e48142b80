/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/kvm/machine.h"
#include "tests/bench/kvm/guest.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below 4 GiB, where a guest has no memory: on Intel, KVM needs four pages there. */
#define IDENTITY_MAP UINT64_C(0xfffbc000)
#define TSS	     UINT64_C(0xfffbd000)

static const uint32_t msr_index[N_MSRS] = {
	0x174,	    0x175,	0x176,	    /* SYSENTER CS, ESP, EIP */
	0x1a0,	    0x277,		    /* MISC_ENABLE, PAT */
	0xc0000081, 0xc0000082, 0xc0000083, /* STAR, LSTAR, CSTAR */
	0xc0000084, 0xc0000102,		    /* SFMASK, KERNEL_GS_BASE */
};

static int kvm;
static size_t run_size;
static struct {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[N_CPUID];
} cpuid;

/* An ioctl() that succeeds. */
static int call(int file, unsigned long request, const void *argument, const char *name)
{
	int result = ioctl(file, request, argument);

	if (result < 0)
		err(1, "%s", name);
	return result;
}
#define CALL(file, request, argument) call(file, request, argument, #request)

void kvm_open(void)
{
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		err(1, "/dev/kvm");
	run_size = (size_t)CALL(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	cpuid.head.nent = N_CPUID;
	CALL(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid);
}

static void set_tsc_offset(const struct machine *machine, uint64_t offset)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	CALL(machine->vcpu, KVM_SET_DEVICE_ATTR, &attribute);
}

static void create_vcpu(struct machine *machine)
{
	machine->vcpu = CALL(machine->vm, KVM_CREATE_VCPU, NULL);
	machine->run_size = run_size;
	machine->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
	if (machine->run == MAP_FAILED)
		err(1, "mapping struct kvm_run");
	CALL(machine->vcpu, KVM_SET_CPUID2, &cpuid);
	set_tsc_offset(machine, 0);
}

void machine_create(struct machine *machine, int file, size_t size)
{
	struct kvm_userspace_memory_region region = {.memory_size = size};
	const uint64_t identity_map = IDENTITY_MAP;

	machine->size = size;
	machine->memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
	if (machine->memory == MAP_FAILED)
		err(1, "mapping %zu bytes of the template", size);
	region.userspace_addr = (uintptr_t)machine->memory;
	machine->vm = CALL(kvm, KVM_CREATE_VM, NULL);
	CALL(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	CALL(machine->vm, KVM_SET_TSS_ADDR, (const void *)TSS);
	CALL(machine->vm, KVM_CREATE_IRQCHIP, NULL);
	CALL(machine->vm, KVM_SET_USER_MEMORY_REGION, &region);
	create_vcpu(machine);
}

void machine_destroy(struct machine *machine)
{
	munmap(machine->run, machine->run_size);
	close(machine->vcpu);
	close(machine->vm);
	munmap(machine->memory, machine->size);
}

void machine_save(const struct machine *machine, struct state *ret)
{
	ret->msrs.head.nmsrs = N_MSRS;
	for (unsigned i = 0; i < N_MSRS; i++)
		ret->msrs.entries[i].index = msr_index[i];
	if (CALL(machine->vcpu, KVM_GET_MSRS, &ret->msrs) != N_MSRS)
		errx(1, "KVM_GET_MSRS: not all of them");
	CALL(machine->vcpu, KVM_GET_REGS, &ret->regs);
	CALL(machine->vcpu, KVM_GET_SREGS, &ret->sregs);
	CALL(machine->vcpu, KVM_GET_XSAVE, &ret->xsave);
	CALL(machine->vcpu, KVM_GET_LAPIC, &ret->lapic);
	CALL(machine->vcpu, KVM_GET_VCPU_EVENTS, &ret->events);
}

void machine_load_registers(const struct machine *machine, const struct state *state)
{
	CALL(machine->vcpu, KVM_SET_SREGS, &state->sregs);
	CALL(machine->vcpu, KVM_SET_REGS, &state->regs);
}

void machine_load(const struct machine *machine, const struct state *state)
{
	machine_load_registers(machine, state);
	CALL(machine->vcpu, KVM_SET_XSAVE, &state->xsave);
	CALL(machine->vcpu, KVM_SET_LAPIC, &state->lapic);
	CALL(machine->vcpu, KVM_SET_VCPU_EVENTS, &state->events);
	if (CALL(machine->vcpu, KVM_SET_MSRS, &state->msrs) != N_MSRS)
		errx(1, "KVM_SET_MSRS: not all of them");
}

void machine_reset(const struct machine *machine, const struct state *state)
{
	if (madvise(machine->memory, machine->size, MADV_DONTNEED) != 0)
		err(1, "dropping private pages");
	machine_load(machine, state);
}

void state_enter(struct state *state, uint32_t eip)
{
	const struct kvm_segment data = {.limit = UINT32_MAX,
					 .selector = 16,
					 .type = 3,
					 .present = 1,
					 .s = 1,
					 .db = 1,
					 .g = 1};
	struct kvm_segment code = data;

	code.selector = 8;
	code.type = 11;
	state->sregs.cs = code;
	state->sregs.ds = state->sregs.es = state->sregs.ss = data;
	state->sregs.fs = state->sregs.gs = data;
	state->sregs.cr0 |= 1; /* PE */
	state->regs.rip = eip;
	state->regs.rflags = 2;
}

uint32_t machine_run(struct machine *machine)
{
	struct kvm_run *run = machine->run;
	uint8_t *data;
	uint32_t value;

	for (;;) {
		CALL(machine->vcpu, KVM_RUN, NULL);
		if (run->exit_reason != KVM_EXIT_IO)
			errx(1, "the guest ended for reason %u", run->exit_reason);
		data = (uint8_t *)run + run->io.data_offset;
		if (run->io.port == PORT_VALUE)
			break;
		if (run->io.direction == KVM_EXIT_IO_IN)
			memset(data, 0, run->io.size);
	}
	memcpy(&value, data, sizeof(value));
	return value;
}
