/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN, OUT, INS and OUTS. The processor has checked the guest's I/O permissions before the exit.
 * Strings are moved in chunks, so that a long string does not occupy the processor.
 */
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/run/access.h"
#include "hv/run/breakpoint.h"
#include "hv/run/event.h"
#include "hv/run/exit_handlers.h"
#include "hv/run/pv_eoi.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/wish.h"
#include "hv/vcpu/shadow.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/life.h"
#include "hv/vm/map.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

#define RFLAGS_DF BIT(10)
#define IO_IN	  BIT(3)
#define IO_STRING BIT(4)
#define IO_REPEAT BIT(5)

enum { IO_SIZE_MAX = 4 };

/* SDM vol. 3, "Exit Qualification for I/O Instructions". */
struct io_exit {
	uint16_t port;
	unsigned size; /* bytes */
	bool in;
};

static struct io_exit decode_qualification(uint64_t qual)
{
	return (struct io_exit){
		.port = (uint16_t)(qual >> 16),
		.size = (qual & 7) + 1,
		.in = qual & IO_IN,
	};
}

static __attribute__((noinline)) void owe_breakpoints(uint64_t dr7)
{
	struct io_exit io = decode_qualification(vmcs_read_next(VMCS_EXIT_QUAL));
	uint64_t dr[4];
	unsigned hits;

	if (!(vmcs_read(VMCS_GUEST_CR4) & CR4_DE))
		return;
	read_debug_addresses(dr);
	hits = breakpoint_match_port(dr7, dr, io.port, io.size);
	if (hits)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | hits | PENDING_ENABLED_BREAKPOINT);
}

/* We have made the access in place of the guest: a breakpoint on it traps after the instruction. */
static inline void check_breakpoints(void)
{
	enum { DR7_ENABLES = 0xff };
	uint64_t dr7 = vmcs_read_next(VMCS_GUEST_DR7);

	if (dr7 & DR7_ENABLES)
		owe_breakpoints(dr7);
}

/* The bus sets 'off', and a read has no value: nothing is stored that nothing reads. */
static inline void begin_access(struct vcpu *vcpu, const struct io_exit *io, struct io_access *ret)
{
	ret->addr = io->port;
	ret->size = io->size;
	ret->now = vcpu_now(vcpu);
}

/* A clone reads its number after each revert, which alone makes no copy of the devices due. */
static inline uint64_t input(struct vcpu *vcpu, const struct io_exit *io)
{
	struct vm *vm = vcpu->vm;
	struct io_access access;
	uint64_t value;

	begin_access(vcpu, io, &access);
	vm_lock_devices(vm);
	value = platform_port_read(&vm->platform, &access);
	if ((unsigned)io->port - CONTROL_PORT <= CONTROL_N_PORTS - IO_SIZE_MAX)
		vm_unlock_devices_unchanged(vm);
	else
		vm_unlock_devices(vm);
	return value;
}

/*
 * The guest continues with the same instruction, whose breakpoint has been taken. Also an event or
 * a trap that comes in between pushes RF. SDM vol. 3, "Instruction-Breakpoint Exception Condition".
 */
static enum exit_action continue_later(void)
{
	vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
	return EXIT_AGAIN;
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

/* Returns what the guest wishes. The devices are locked. */
static inline uint32_t write_port(struct vcpu *vcpu, const struct io_exit *io, uint64_t value)
{
	struct io_access access;

	begin_access(vcpu, io, &access);
	access.value = value;
	return platform_port_write(&vcpu->vm->platform, &access);
}

static enum exit_action output(struct vcpu *vcpu, const struct io_exit *io, uint64_t value)
{
	uint32_t wish;

	vm_lock_devices(vcpu->vm);
	wish = write_port(vcpu, io, value);
	if (wish)
		return grant(vcpu, wish);
	vm_unlock_devices(vcpu->vm);
	return EXIT_NEXT;
}

/* A 32-bit result clears the upper half. */
static inline void set_rax(struct vcpu *vcpu, unsigned size, uint64_t value)
{
	uint64_t *rax = &vcpu->regs.gpr[RAX];

	if (size == 1)
		*rax = (*rax & ~BITS(7, 0)) | (uint8_t)value;
	else if (size == 2)
		*rax = (*rax & ~BITS(15, 0)) | (uint16_t)value;
	else
		*rax = value;
}

/* Out of line, as the next one is, so that each saves few registers. */
static __attribute__((noinline)) enum exit_action io_in(struct vcpu *vcpu, uint64_t qual)
{
	struct io_exit io = decode_qualification(qual);

	set_rax(vcpu, io.size, input(vcpu, &io));
	check_breakpoints();
	return EXIT_NEXT;
}

/* The devices are locked. */
static __attribute__((noinline)) enum exit_action revert(struct vcpu *vcpu)
{
	if (vcpu->lapic->is_lent)
		vcpu_take_back_in_service(vcpu);
	if (vm_revert_at_once(vcpu)) {
		vcpu_begin_again(vcpu);
		return EXIT_AGAIN;
	}
	(void)grant(vcpu, WISH_REVERT);
	check_breakpoints();
	return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_action io_out(struct vcpu *vcpu, uint64_t qual)
{
	struct io_exit io = decode_qualification(qual);
	uint32_t wish;

	vm_lock_devices(vcpu->vm);
	wish = write_port(vcpu, &io, vcpu->regs.gpr[RAX]);
	if (!wish)
		vm_unlock_devices(vcpu->vm);
	else if (wish == WISH_REVERT)
		return revert(vcpu);
	else if (grant(vcpu, wish) == EXIT_AGAIN)
		return continue_later();
	check_breakpoints();
	return EXIT_NEXT;
}

/* An INS or OUTS: what all its elements have in common. */
struct io_string {
	struct operand_space space;
	struct insn_access access;
	enum insn_mode mode;
	uint64_t mask;		 /* of the address size */
	uint64_t *index, *count; /* registers */
};

/* The memory of a string cannot be reached: the guest gets a fault, or its VM ends. */
static void element_fault(struct vcpu *vcpu, enum status status, const struct guest_fault *fault)
{
	if (status == ERR_NOTFOUND) {
		write_cr2(fault->linear);
		vcpu_inject_exception_error(vcpu, VECTOR_PF, fault->error_code);
	} else {
		vm_crash(vcpu->vm, "string I/O: operand at 0x%lx cannot be reached", fault->linear);
	}
}

/* The rest of the page is not translated again in this exit, as the processor would not. */
static void know_page(struct operand_space *space, uint64_t linear, unsigned rights,
		      const struct operand_part *part)
{
	space->known_linear = linear;
	space->known_gpa = part->gpa;
	space->known_is_memory = part->is_memory;
	space->known_rights = rights;
}

/*
 * Find the memory of the next element, all of it, before the port is accessed. False: a fault is
 * pending, or the VM has stopped or ended.
 */
static bool find_element(struct vcpu *vcpu, struct io_string *string, struct operand *ret)
{
	unsigned rights = string->access.writes ? ACCESS_WRITE : ACCESS_READ;
	enum insn_check check;
	enum status status;
	uint64_t linear;

	string->access.offset = *string->index & string->mask;
	check = access_linear(&string->access, string->mode, string->space.paging.cr4, &linear);
	if (check != INSN_ALLOWED) {
		vcpu_inject_exception_error(vcpu, check == INSN_RAISES_SS ? VECTOR_SS : VECTOR_GP,
					    0);
		return false;
	}
	struct memory_lock held = memory_lock(vcpu);
	status = operand_find(&string->space, linear, string->access.size, rights, ret);
	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, string->space.paging.fault.gpa);
	memory_unlock(&held);
	if (status != OK && status != ERR_NOMEM)
		element_fault(vcpu, status, &string->space.paging.fault);
	if (status == OK && ret->n_parts == 1)
		know_page(&string->space, linear, rights, &ret->part[0]);
	return status == OK;
}

/*
 * Move one element between the guest's memory, or a device's, and the port. False: the instruction
 * does not continue; it has faulted, or makes the access again.
 */
static bool move_element(struct vcpu *vcpu, const struct io_exit *io, struct io_string *string)
{
	struct access_value value = {0};
	struct operand operand;

	if (!find_element(vcpu, string, &operand))
		return false;
	if (io->in) {
		value.word[0] = input(vcpu, io);
		return access_write(vcpu, &operand, &value);
	}
	access_read(vcpu, &operand, &value);
	return output(vcpu, io, value.word[0]) != EXIT_AGAIN;
}

/* Add to a register of the address size; a 32-bit result clears the upper half. */
static void advance(uint64_t *reg, uint64_t by, uint64_t mask)
{
	uint64_t value = (*reg + by) & mask;

	*reg = mask == UINT16_MAX ? (*reg & ~mask) | value : value;
}

/* SDM vol. 3, "Instruction Information", for INS and OUTS. */
static void begin_string(struct vcpu *vcpu, const struct io_exit *io, struct io_string *ret)
{
	uint64_t info = vmcs_read(VMCS_EXIT_INST_INFO);
	unsigned size = info >> 7 & 7;

	vcpu_read_paging(&vcpu->vm->memory, &ret->space.paging);
	ret->mode = access_code_mode(ret->space.paging.efer);
	ret->space.linear_mask = ret->mode == INSN_64 ? UINT64_MAX : UINT32_MAX;
	ret->space.known_rights = 0;
	ret->access = (struct insn_access){
		.segment = io->in ? INSN_ES : (enum insn_segment)(info >> 15 & 7),
		.size = (uint8_t)io->size,
		.reads = !io->in,
		.writes = io->in,
	};
	ret->mask = size == 0 ? UINT16_MAX : size == 1 ? UINT32_MAX : UINT64_MAX;
	ret->index = &vcpu->regs.gpr[io->in ? RDI : RSI];
	ret->count = &vcpu->regs.gpr[RCX];
}

/* An iteration is an instruction boundary: a trap that is due comes before the next one. */
static bool is_trap_due(void)
{
	uint64_t blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (blocking & (BLOCKING_STI | BLOCKING_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	vcpu_owe_single_step();
	return vmcs_read(VMCS_GUEST_PENDING_DEBUG) & (PENDING_BS | PENDING_ENABLED_BREAKPOINT);
}

/* Whether a string goes to a job's results and has no traps, so that pages can be copied. */
static bool is_job_output(const struct vcpu *vcpu, const struct io_exit *io,
			  const struct io_string *string)
{
	enum { DR7_ENABLES = 0xff };

	return vcpu->vm->platform.job_port.is_there && !io->in && io->size == 1 &&
	       job_port_is_channel(io->port) && string->mode == INSN_64 &&
	       !(vmcs_read(VMCS_GUEST_RFLAGS) & (RFLAGS_DF | RFLAGS_TF)) &&
	       !(vmcs_read(VMCS_GUEST_DR7) & DR7_ENABLES);
}

/* The rest of the string in the operand's page. Returns how many bytes were taken; 0: none can be.
 */
static uint64_t take_page(struct vcpu *vcpu, const struct io_exit *io,
			  const struct operand *operand, uint64_t len)
{
	gpa_t gpa = operand->part[0].gpa;

	if (!operand->part[0].is_memory)
		return 0;
	len = part_in_page(gpa.raw, len);
	vm_lock_devices(vcpu->vm);
	struct memory_lock held = memory_lock(vcpu);
	map_write(vcpu->vm, job_port_channel(io->port), guest_byte(&vcpu->vm->memory, gpa), len);
	memory_unlock(&held);
	vm_unlock_devices(vcpu->vm);
	return len;
}

/*
 * Pages of a job's output, in place of bytes. True: what remains is for move_string(), or nothing.
 * False: so much was taken that other work has its turn, or the instruction has faulted.
 */
static bool take_pages(struct vcpu *vcpu, const struct io_exit *io, struct io_string *string,
		       uint64_t since)
{
	struct operand operand;
	uint64_t len;

	while ((len = *string->count & string->mask) > 0) {
		if (!find_element(vcpu, string, &operand))
			return false;
		len = take_page(vcpu, io, &operand, len);
		if (len == 0)
			return true;
		advance(string->index, len, string->mask);
		advance(string->count, -len, string->mask);
		if (!vcpu_may_repeat(vcpu, since))
			return false;
	}
	return true;
}

static enum exit_action move_string(struct vcpu *vcpu, const struct io_exit *io, bool repeat)
{
	uint64_t step = vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_DF ? -(uint64_t)io->size : io->size;
	uint64_t since = rdtsc();
	struct io_string string;

	begin_string(vcpu, io, &string);
	if (repeat && is_job_output(vcpu, io, &string) && !take_pages(vcpu, io, &string, since))
		return continue_later();
	do {
		if (repeat && (*string.count & string.mask) == 0)
			return EXIT_NEXT;
		if (!move_element(vcpu, io, &string))
			break;
		check_breakpoints();
		advance(string.index, step, string.mask);
		if (!repeat)
			return EXIT_NEXT;
		advance(string.count, (uint64_t)-1, string.mask);
		if ((*string.count & string.mask) == 0)
			return EXIT_NEXT;
	} while (!is_trap_due() && vcpu_may_repeat(vcpu, since));
	return continue_later();
}

static __attribute__((noinline)) enum exit_action io_string(struct vcpu *vcpu, uint64_t qual)
{
	struct io_exit io = decode_qualification(qual);

	return move_string(vcpu, &io, qual & IO_REPEAT);
}

enum exit_action exit_io(struct vcpu *vcpu)
{
	uint64_t qual = vmcs_read_next(VMCS_EXIT_QUAL);

	if (qual & IO_STRING)
		return io_string(vcpu, qual);
	return qual & IO_IN ? io_in(vcpu, qual) : io_out(vcpu, qual);
}
