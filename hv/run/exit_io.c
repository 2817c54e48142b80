/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN, OUT, INS and OUTS. The processor has checked the guest's I/O permissions before the exit.
 * Strings are moved in chunks, so that a long string does not occupy the processor.
 */
#include "hv/guest/guest_paging.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/run/breakpoint.h"
#include "hv/run/event.h"
#include "hv/run/exit_handlers.h"
#include "hv/run/wish.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

#define RFLAGS_DF  BIT(10)
#define CHUNK_MAX  64
#define IO_IN	   BIT(3)
#define IO_STRING  BIT(4)
#define IO_REPEAT  BIT(5)
#define SEGMENT_SS 2

/* SDM vol. 3, "Exit Qualification for I/O Instructions". */
struct io_exit {
	uint16_t port;
	unsigned size; /* bytes */
	bool in;
};

static __attribute__((noinline)) void owe_breakpoints(const struct io_exit *io, uint64_t dr7)
{
	uint64_t dr[4];
	unsigned hits;

	if (!(vmcs_read(VMCS_GUEST_CR4) & CR4_DE))
		return;
	asm volatile("mov %%db0, %0; mov %%db1, %1; mov %%db2, %2; mov %%db3, %3"
		     : "=r"(dr[0]), "=r"(dr[1]), "=r"(dr[2]), "=r"(dr[3]));
	hits = breakpoint_match_port(dr7, dr, io->port, io->size);
	if (hits)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | hits | PENDING_ENABLED_BREAKPOINT);
}

/* We have made the access in place of the guest: a breakpoint on it traps after the instruction. */
static inline void check_breakpoints(const struct io_exit *io)
{
	enum { DR7_ENABLES = 0xff };
	uint64_t dr7 = vmcs_read(VMCS_GUEST_DR7);

	if (dr7 & DR7_ENABLES)
		owe_breakpoints(io, dr7);
}

static inline uint64_t input(struct vcpu *vcpu, const struct io_exit *io)
{
	struct io_access access = {.addr = io->port, .size = io->size, .now = vcpu_now(vcpu)};
	uint64_t value;

	vm_lock_devices(vcpu->vm);
	value = platform_port_read(&vcpu->vm->platform, &access);
	vm_unlock_devices(vcpu->vm);
	return value;
}

/*
 * Grant what the guest's output asks for, and unlock the devices. EXIT_AGAIN: a part is done, and
 * the guest makes the same output again. Much time may have passed, so look at the clocks first.
 */
static __attribute__((noinline)) enum exit_action grant(struct vcpu *vcpu, uint32_t wish)
{
	bool again;

	wish_grant(vcpu, wish);
	again = wish & WISH_FW_CFG && fw_cfg_is_busy(&vcpu->vm->platform.fw_cfg);
	vm_unlock_devices(vcpu->vm);
	if (again)
		vcpu_request(vcpu, VCPU_REQUEST_TIMER);
	return again ? EXIT_AGAIN : EXIT_NEXT;
}

static inline enum exit_action output(struct vcpu *vcpu, const struct io_exit *io, uint64_t value)
{
	struct io_access access = {
		.addr = io->port, .size = io->size, .value = value, .now = vcpu_now(vcpu)};
	uint32_t wish;

	vm_lock_devices(vcpu->vm);
	wish = platform_port_write(&vcpu->vm->platform, &access);
	if (wish)
		return grant(vcpu, wish);
	vm_unlock_devices(vcpu->vm);
	return EXIT_NEXT;
}

static enum exit_action io_single(struct vcpu *vcpu, const struct io_exit *io)
{
	uint64_t *rax = &vcpu->regs.gpr[RAX];

	if (!io->in) {
		if (output(vcpu, io, *rax) == EXIT_AGAIN)
			return EXIT_AGAIN;
	} else if (io->size == 4) /* a 32-bit result clears the upper half */
		*rax = input(vcpu, io);
	else
		*rax = (*rax & ~BITS(8 * io->size - 1, 0)) | input(vcpu, io);
	check_breakpoints(io);
	return EXIT_NEXT;
}

/*
 * Move one element between the guest's memory and the port. The VM's lock is held only while memory
 * is accessed. '*ret_again': the guest must output the element again.
 */
static enum status io_element(struct vcpu *vcpu, const struct io_exit *io,
			      struct guest_paging *paging, uint64_t linear, bool *ret_again)
{
	uint64_t value = 0;
	enum status status;

	/* Take input from the device only if it can be stored. */
	if (io->in) {
		struct memory_lock held = memory_lock(vcpu);
		gpa_t gpa;

		status = guest_translate(paging, linear, ACCESS_WRITE, &gpa);
		memory_unlock(&held);
		if (status != OK)
			return status;
		value = input(vcpu, io);
	}
	struct memory_lock held = memory_lock(vcpu);
	if (io->in)
		status = guest_write_linear(paging, linear, &value, io->size, ACCESS_WRITE);
	else
		status = guest_read_linear(paging, linear, &value, io->size, ACCESS_READ);
	memory_unlock(&held);
	*ret_again = status == OK && !io->in && output(vcpu, io, value) == EXIT_AGAIN;
	return status;
}

/* The memory of a string cannot be accessed: the guest gets a fault, or its VM ends. */
static void io_fault(struct vcpu *vcpu, enum status status, const struct guest_fault *fault,
		     bool stack_segment)
{
	switch (status) {
	case ERR_NOTFOUND:
		write_cr2(fault->linear);
		vcpu_inject_exception_error(vcpu, VECTOR_PF, fault->error_code);
		break;
	case ERR_INVAL:
		vcpu_inject_exception_error(vcpu, stack_segment ? VECTOR_SS : VECTOR_GP, 0);
		break;
	case ERR_NOMEM:
		vm_crash(vcpu->vm, "no memory left for string input at 0x%lx", fault->linear);
		break;
	default:
		vm_crash(vcpu->vm, "string I/O with a device's memory at 0x%lx", fault->linear);
	}
}

/* SDM vol. 3, "Instruction Information", for INS and OUTS: bits 9:7 are the address size. */
static uint64_t address_mask(void)
{
	unsigned size = vmcs_read(VMCS_EXIT_INST_INFO) >> 7 & 7;

	return size == 0 ? UINT16_MAX : size == 1 ? UINT32_MAX : UINT64_MAX;
}

/* Add to a register of the address size; a 32-bit result clears the upper half. */
static void advance(uint64_t *reg, uint64_t by, uint64_t mask)
{
	uint64_t value = (*reg + by) & mask;

	*reg = mask == UINT16_MAX ? (*reg & ~mask) | value : value;
}

static __attribute__((noinline)) enum exit_action io_string(struct vcpu *vcpu,
							    const struct io_exit *io, bool repeat)
{
	uint64_t mask = address_mask();
	uint64_t *index = &vcpu->regs.gpr[io->in ? RDI : RSI], *count = &vcpu->regs.gpr[RCX];
	uint64_t base = vmcs_read(VMCS_GUEST_LINEAR_ADDR) - (*index & mask);
	bool stack = !io->in && (vmcs_read(VMCS_EXIT_INST_INFO) >> 15 & 7) == SEGMENT_SS;
	uint64_t step = vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_DF ? -(uint64_t)io->size : io->size;
	struct guest_paging paging;

	vcpu_read_paging(&vcpu->vm->memory, &paging);
	for (unsigned n = 0; n < CHUNK_MAX; n++) {
		enum status status;
		bool again;

		if (repeat && (*count & mask) == 0)
			return EXIT_NEXT;
		status = io_element(vcpu, io, &paging, base + (*index & mask), &again);
		if (status != OK) {
			io_fault(vcpu, status, &paging.fault, stack);
			return EXIT_AGAIN;
		}
		if (again)
			return EXIT_AGAIN;
		check_breakpoints(io);
		advance(index, step, mask);
		if (!repeat)
			return EXIT_NEXT;
		advance(count, (uint64_t)-1, mask);
	}
	return (*count & mask) == 0 ? EXIT_NEXT : EXIT_AGAIN;
}

enum exit_action exit_io(struct vcpu *vcpu)
{
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL);
	struct io_exit io = {
		.port = (uint16_t)(qual >> 16),
		.size = (qual & 7) + 1,
		.in = qual & IO_IN,
	};

	if (qual & IO_STRING)
		return io_string(vcpu, &io, qual & IO_REPEAT);
	return io_single(vcpu, &io);
}
