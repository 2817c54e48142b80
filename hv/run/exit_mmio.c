/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instruction accesses a device's memory: fetch, decode and execute it, with device accesses in
 * place of memory accesses. Each operand is looked up separately, so MOVS can copy from a device to
 * memory and back.
 */
#include "hv/devices/insn_decode.h"
#include "hv/devices/insn_execute.h"
#include "hv/devices/platform.h"
#include "hv/guest/guest_paging.h"
#include "hv/host/io.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/run/event.h"
#include "hv/run/exit_handlers.h"
#include "hv/run/wish.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

static enum insn_mode code_mode(void)
{
	enum { AR_DB = 1 << 14 };

	if (vcpu_in_64bit_code())
		return INSN_64;
	return vmcs_read(VMCS_GUEST_CS_AR) & AR_DB ? INSN_32 : INSN_16;
}

/* Copy the bytes at the instruction's address, as many as are mapped. */
static size_t fetch(struct vcpu *vcpu, struct guest_paging *paging, uint64_t linear,
		    uint8_t bytes[INSN_MAX_LEN])
{
	size_t first = PAGE_SIZE - (linear & (PAGE_SIZE - 1)), n = 0;

	if (first > INSN_MAX_LEN)
		first = INSN_MAX_LEN;
	struct memory_lock held = memory_lock(vcpu);
	if (guest_read_linear(paging, linear, bytes, first, ACCESS_EXEC) == OK)
		n = first;
	if (n && n < INSN_MAX_LEN &&
	    guest_read_linear(paging, linear + n, bytes + n, INSN_MAX_LEN - n, ACCESS_EXEC) == OK)
		n = INSN_MAX_LEN;
	memory_unlock(&held);
	return n;
}

static void load_insn_regs(const struct vcpu *vcpu, struct insn_regs *regs)
{
	enum { AR_DB = 1 << 14 };

	memcpy(regs->gpr, vcpu->regs.gpr, sizeof(regs->gpr));
	regs->gpr[RSP] = vmcs_read(VMCS_GUEST_RSP);
	regs->rip = vmcs_read(VMCS_GUEST_RIP);
	regs->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	regs->stack_size = vmcs_read(VMCS_GUEST_SS_AR) & AR_DB ? 4 : 2;
}

static void store_insn_regs(struct vcpu *vcpu, const struct insn_regs *regs)
{
	memcpy(vcpu->regs.gpr, regs->gpr, sizeof(regs->gpr));
	vmcs_write(VMCS_GUEST_RSP, regs->gpr[RSP]);
	vmcs_write(VMCS_GUEST_RIP, regs->rip);
	vmcs_write(VMCS_GUEST_RFLAGS, regs->rflags);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	/* A single step is due after every instruction, and every iteration of a string. */
	vcpu_owe_single_step();
}

static uint64_t linear_address(const struct insn_access *access)
{
	/* Instructions and the VMCS number the segments alike. */
	uint64_t base =
		vmcs_read(vmcs_segment_field(VMCS_GUEST_ES_BASE, (enum segment)access->segment));

	if (!vcpu_in_64bit_code())
		return (base + access->offset) & UINT32_MAX;
	if (access->segment != INSN_FS && access->segment != INSN_GS)
		base = 0;
	return base + access->offset;
}

/* One operand: its address, and whether a device is there. */
struct operand {
	uint64_t linear;
	gpa_t gpa;
	bool device;
	uint8_t size;
};

/* False: the access faults in the guest (the fault is pending), or the VM has ended. */
static bool find_operand(struct vcpu *vcpu, struct guest_paging *paging,
			 const struct insn_access *access, struct operand *ret)
{
	unsigned rights = access->writes ? ACCESS_WRITE : ACCESS_READ;
	enum status status;

	ret->linear = linear_address(access);
	ret->size = access->size;
	struct memory_lock held = memory_lock(vcpu);
	status = guest_translate(paging, ret->linear, rights, &ret->gpa);
	memory_unlock(&held);
	if (status == ERR_NOTFOUND) {
		write_cr2(ret->linear);
		vcpu_inject_exception_error(vcpu, VECTOR_PF, paging->fault.error_code);
	} else if (status != OK) {
		vm_crash(vcpu->vm, "device access: operand at 0x%lx cannot be reached",
			 ret->linear);
	}
	ret->device = status == OK && mem_map_find(vcpu->vm->mem, ret->gpa) == NULL;
	return status == OK;
}

static uint64_t read_device(struct vcpu *vcpu, const struct operand *operand)
{
	struct io_access access = {
		.addr = operand->gpa.raw, .size = operand->size, .now = vcpu_now(vcpu)};
	uint64_t value;

	vm_lock_devices(vcpu->vm);
	value = platform_mmio_read(&vcpu->vm->platform, vcpu->number, &access);
	vm_unlock_devices(vcpu->vm);
	return value;
}

static void write_device(struct vcpu *vcpu, const struct operand *operand, uint64_t value)
{
	struct io_access access = {.addr = operand->gpa.raw,
				   .size = operand->size,
				   .value = value,
				   .now = vcpu_now(vcpu)};
	uint32_t wish;

	vm_lock_devices(vcpu->vm);
	wish = platform_mmio_write(&vcpu->vm->platform, vcpu->number, &access);
	if (wish)
		wish_grant(vcpu, wish);
	vm_unlock_devices(vcpu->vm);
}

static bool read_operand(struct vcpu *vcpu, struct guest_paging *paging,
			 const struct operand *operand, uint64_t *ret)
{
	enum status status;

	*ret = 0;
	if (operand->device) {
		*ret = read_device(vcpu, operand);
		return true;
	}
	struct memory_lock held = memory_lock(vcpu);
	status = guest_read_linear(paging, operand->linear, ret, operand->size, ACCESS_READ);
	memory_unlock(&held);
	if (status != OK)
		vm_crash(vcpu->vm, "device access: cannot read the operand at 0x%lx",
			 operand->linear);
	return status == OK;
}

static void write_operand(struct vcpu *vcpu, struct guest_paging *paging,
			  const struct operand *operand, uint64_t value)
{
	enum status status;

	if (operand->device) {
		write_device(vcpu, operand, value);
		return;
	}
	struct memory_lock held = memory_lock(vcpu);
	status = guest_write_linear(paging, operand->linear, &value, operand->size, ACCESS_WRITE);
	memory_unlock(&held);
	if (status != OK)
		vm_crash(vcpu->vm, "device access: cannot write the operand at 0x%lx",
			 operand->linear);
}

/* Execute one step of a decoded instruction: read operands, execute, store the result. */
static void execute(struct vcpu *vcpu, struct guest_paging *paging, const struct insn *insn)
{
	struct insn_access access[2];
	struct operand operand[2];
	struct insn_regs regs;
	uint64_t value[2] = {0}, result = 0;
	bool writes = false;
	size_t n;

	load_insn_regs(vcpu, &regs);
	n = insn_accesses(insn, &regs, access);
	for (size_t i = 0; i < n; i++)
		if (!find_operand(vcpu, paging, &access[i], &operand[i]))
			return;
	for (size_t i = 0; i < n; i++)
		if (access[i].reads && !read_operand(vcpu, paging, &operand[i], &value[i]))
			return;
	if (insn->op == INSN_CMPS)
		insn_execute_cmps(insn, &regs, value[0], value[1]);
	else
		insn_execute(insn, &regs, value[0], &result, &writes);
	if (writes)
		write_operand(vcpu, paging, &operand[n - 1], result);
	store_insn_regs(vcpu, &regs);
}

/* Report the bytes that could not be executed, so that support for them can be added. */
static void crash_unknown(struct vcpu *vcpu, gpa_t gpa, const uint8_t *bytes, size_t n)
{
	char text[3 * INSN_MAX_LEN + 1] = "";

	for (size_t i = 0; i < n; i++)
		format(text + 3 * i, 4, "%02x ", bytes[i]);
	vm_crash(vcpu->vm,
		 "no memory at 0x%lx, and device emulation does not support the instruction: %s",
		 gpa.raw, n ? text : "(cannot be read)");
}

enum exit_action exit_mmio(struct vcpu *vcpu, gpa_t gpa)
{
	uint8_t bytes[INSN_MAX_LEN];
	struct guest_paging paging;
	struct insn insn;
	size_t n;

	vcpu_read_paging(&vcpu->vm->memory, &paging);
	n = fetch(vcpu, &paging, vmcs_read(VMCS_GUEST_CS_BASE) + vmcs_read(VMCS_GUEST_RIP), bytes);
	if (n == 0 || insn_decode(bytes, n, code_mode(), &insn) != OK) {
		crash_unknown(vcpu, gpa, bytes, n);
		return EXIT_AGAIN;
	}
	execute(vcpu, &paging, &insn);
	vcpu_request(vcpu, VCPU_REQUEST_TIMER | VCPU_REQUEST_EVENT);
	return EXIT_AGAIN;
}
