/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Execute an instruction in place of the processor. All operands are found before one is accessed,
 * so that an instruction that faults has had no effect: a device register that changes when it is
 * read is read once. Each operand is looked up separately, so that MOVS can copy from a device to
 * memory and back.
 */
#include "hv/run/emulate.h"

#include "hv/devices/insn_decode.h"
#include "hv/devices/insn_execute.h"
#include "hv/devices/insn_linear.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/lib/string.h"
#include "hv/run/access.h"
#include "hv/run/event.h"
#include "hv/run/stop_for_memory.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

/* SDM vol. 3, "Exit Qualification for EPT Violations": both if the operand was translated. */
#define QUAL_RIGHTS	UINT64_C(7)
#define QUAL_HAS_LINEAR BIT(7)
#define QUAL_TRANSLATED BIT(8)
#define AR_DB		BIT(14)

/* Returns the mode of the guest's code. */
static enum insn_mode read_space(struct vcpu *vcpu, bool is_memory, struct operand_space *ret)
{
	uint64_t qual = vmcs_read_next(VMCS_EXIT_QUAL);
	bool is_known = (qual & QUAL_HAS_LINEAR) && (qual & QUAL_TRANSLATED);
	enum insn_mode mode;

	vcpu_read_paging(&vcpu->vm->memory, &ret->paging);
	mode = access_code_mode(ret->paging.efer);
	ret->linear_mask = mode == INSN_64 ? UINT64_MAX : UINT32_MAX;
	ret->known_linear = vmcs_read_next(VMCS_GUEST_LINEAR_ADDR);
	ret->known_gpa = (gpa_t){vmcs_read_next(VMCS_GUEST_PHYS_ADDR)};
	ret->known_is_memory = is_memory;
	ret->known_rights = is_known ? qual & QUAL_RIGHTS : 0;
	return mode;
}

/* SDM vol. 1, "Instruction Pointer": 64-bit mode has no base. */
static uint64_t code_address(const struct operand_space *space)
{
	uint64_t rip = vmcs_read_next(VMCS_GUEST_RIP);

	if (space->linear_mask == UINT64_MAX)
		return rip;
	return (vmcs_read(VMCS_GUEST_CS_BASE) + rip) & space->linear_mask;
}

/*
 * Copy the bytes at the instruction's address to the slot, as many as are mapped, and note there
 * what led to them. '*ret_rest': why there are no more.
 */
static enum status fetch(struct operand_space *space, uint64_t linear, struct recent_insn *slot,
			 size_t *ret_n, enum status *ret_rest)
{
	uint8_t *bytes = (uint8_t *)slot->bytes;
	size_t n = part_in_page(linear, RECENT_BYTES);
	gpa_t gpa;

	TRY(guest_translate_noting(&space->paging, linear, ACCESS_EXEC, &gpa, &slot->walk));
	slot->code = guest_byte(space->paging.memory, gpa);
	if (slot->code == NULL)
		return ERR_RANGE;
	memcpy(bytes, slot->code, n);
	*ret_rest = OK;
	if (n < INSN_MAX_LEN)
		*ret_rest = guest_read_linear(&space->paging, (linear + n) & space->linear_mask,
					      bytes + n, INSN_MAX_LEN - n, ACCESS_EXEC);
	*ret_n = n < INSN_MAX_LEN && *ret_rest != OK ? n : INSN_MAX_LEN;
	return OK;
}

/* Decode into the slot, which then has this instruction or nothing. Rare, thus out of line. */
static __attribute__((noinline)) enum status
decode(struct emulation *emulation, const struct recent_key *key, struct recent_insn *slot)
{
	enum status status, rest;
	size_t n;

	slot->key.epoch = 0;
	TRY(fetch(&emulation->space, key->linear, slot, &n, &rest));
	status = insn_decode((const uint8_t *)slot->bytes, n, key->mode, &slot->insn);
	if (status != OK)
		return status == ERR_RANGE && rest == ERR_NOMEM ? rest : status;
	recent_keep(slot, key, &emulation->space.paging);
	return OK;
}

enum status emulate_decode(struct vcpu *vcpu, bool is_memory, struct emulation *ret)
{
	struct cpu *cpu = this_cpu();
	enum status status = OK;
	struct recent_insn *slot;
	struct recent_key key;

	_Static_assert(sizeof(struct recent) <= sizeof(cpu->recent));
	key.epoch = cpu->n_loads;
	key.mode = read_space(vcpu, is_memory, &ret->space);
	key.linear = code_address(&ret->space);
	slot = recent_slot((struct recent *)cpu->recent, key.linear);
	ret->insn = &slot->insn;
	struct memory_lock held = memory_lock(vcpu);
	key.generation = vcpu->ept->generation;
	if (!recent_holds(slot, &key, &ret->space.paging))
		status = decode(ret, &key, slot);
	memory_unlock(&held);
	return status;
}

static void load_insn_regs(struct vcpu *vcpu, enum insn_mode mode, struct insn_regs *regs)
{
	regs->gpr = vcpu->regs.gpr;
	regs->gpr[RSP] = vmcs_read_next(VMCS_GUEST_RSP);
	regs->rip = vmcs_read_next(VMCS_GUEST_RIP);
	regs->rflags = vmcs_read_next(VMCS_GUEST_RFLAGS);
	regs->stack_size = 0;
	if (mode != INSN_64)
		regs->stack_size = vmcs_read_next(VMCS_GUEST_SS_AR) & AR_DB ? 4 : 2;
}

/*
 * After an instruction, which began at 'rip', or an iteration. The exit has set RF (SDM vol. 3,
 * "Saving RIP, RSP, RFLAGS, and SSP"); it stays set within a repeated instruction, whose breakpoint
 * has been taken.
 */
static void store_insn_regs(const struct insn_regs *regs, uint64_t rip)
{
	bool is_complete = regs->rip != rip;
	uint64_t blocking = vmcs_read_next(VMCS_GUEST_INTERRUPTIBILITY);

	vmcs_write(VMCS_GUEST_RSP, regs->gpr[RSP]);
	vmcs_write(VMCS_GUEST_RIP, regs->rip);
	vmcs_write(VMCS_GUEST_RFLAGS, is_complete ? regs->rflags & ~RFLAGS_RF : regs->rflags);
	if (blocking & (BLOCKING_STI | BLOCKING_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	/* A single step is due after every instruction, and every iteration of a string. */
	if (regs->rflags & RFLAGS_TF)
		vcpu_owe_single_step();
}

/*
 * What became of a step: it is done, raises an exception instead, has stopped or ended the VM, or
 * is not for us and has had no effect.
 */
enum outcome { STEP_DONE, STEP_GP, STEP_SS, STEP_PF, STEP_STOPPED, STEP_REFUSED };

/*
 * The usual case, and fast: the operand at which the instruction exited. The processor has checked
 * and translated it.
 */
static bool take_from_exit(const struct emulation *emulation, const struct insn_access *access,
			   unsigned rights, struct operand *ret)
{
	const struct operand_space *space = &emulation->space;

	if (emulation->insn->mode != INSN_64 || access->segment >= INSN_FS ||
	    !operand_is_known(space, access->offset, access->size, rights))
		return false;
	ret->n_parts = 1;
	ret->part[0].gpa = operand_known_gpa(space, access->offset);
	ret->part[0].len = access->size;
	ret->part[0].is_memory = space->known_is_memory;
	return true;
}

/* Another operand, or in another mode. */
static __attribute__((noinline)) enum outcome look_for_operand(struct vcpu *vcpu,
							       struct emulation *emulation,
							       const struct insn_access *access,
							       unsigned rights, struct operand *ret)
{
	enum status status;
	uint64_t linear;

	switch (access_linear(access, emulation->insn->mode, emulation->space.paging.cr4,
			      &linear)) {
	case INSN_RAISES_GP:
		return STEP_GP;
	case INSN_RAISES_SS:
		return STEP_SS;
	case INSN_ALLOWED:
		break;
	}
	/* A store beyond the page of ROM may need a frame, for which the VM may have to wait. */
	if (emulation->space.known_is_memory && access->writes &&
	    !operand_is_known(&emulation->space, linear, access->size, rights))
		return STEP_REFUSED;
	struct memory_lock held = memory_lock(vcpu);
	status = operand_find(&emulation->space, linear, access->size, rights, ret);
	/* Accessed flags, and a page that will be written, may need a frame. */
	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, emulation->space.paging.fault.gpa);
	memory_unlock(&held);
	if (status == OK)
		return STEP_DONE;
	return status == ERR_NOTFOUND ? STEP_PF : STEP_STOPPED;
}

static enum outcome find_operand(struct vcpu *vcpu, struct emulation *emulation,
				 const struct insn_access *access, struct operand *ret)
{
	unsigned rights = access->writes ? ACCESS_WRITE : ACCESS_READ;

	return take_from_exit(emulation, access, rights, ret)
		       ? STEP_DONE
		       : look_for_operand(vcpu, emulation, access, rights, ret);
}

/* One step: find the operands, read them, execute, store the result. */
static inline __attribute__((always_inline)) enum outcome
step_once(struct vcpu *vcpu, struct emulation *emulation, struct insn_regs *regs)
{
	const struct insn *insn = emulation->insn;
	struct insn_access access[2];
	struct operand operand[2];
	struct access_value value[2] = {0}, result = {0};
	bool writes = false;
	size_t n = insn_accesses(insn, regs, access);

	for (size_t i = 0; i < n; i++) {
		enum outcome outcome = find_operand(vcpu, emulation, &access[i], &operand[i]);

		if (outcome != STEP_DONE)
			return outcome;
	}
	for (size_t i = 0; i < n; i++)
		if (access[i].reads)
			access_read(vcpu, &operand[i], &value[i]);
	if (insn->op == INSN_CMPS)
		insn_execute_cmps(insn, regs, value[0].word[0], value[1].word[0]);
	else
		insn_execute(insn, regs, value[0].word[0], &result.word[0], &writes);
	if (!writes || access_write(vcpu, &operand[n - 1], &result))
		return STEP_DONE;
	return STEP_STOPPED;
}

static void raise(struct vcpu *vcpu, enum outcome outcome, const struct guest_fault *fault)
{
	switch (outcome) {
	case STEP_GP:
		vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
		break;
	case STEP_SS:
		vcpu_inject_exception_error(vcpu, VECTOR_SS, 0);
		break;
	case STEP_PF:
		write_cr2(fault->linear);
		vcpu_inject_exception_error(vcpu, VECTOR_PF, fault->error_code);
		break;
	case STEP_DONE:
	case STEP_STOPPED:
	case STEP_REFUSED:
		break;
	}
}

bool emulate_run(struct vcpu *vcpu, struct emulation *emulation)
{
	uint64_t since = rdtsc();
	struct insn_regs regs;
	enum outcome outcome;
	bool has_run = false;
	uint64_t rip;

	load_insn_regs(vcpu, emulation->insn->mode, &regs);
	rip = regs.rip;
	while ((outcome = step_once(vcpu, emulation, &regs)) == STEP_DONE) {
		has_run = true;
		if (regs.rip != rip || regs.rflags & RFLAGS_TF || !vcpu_may_repeat(vcpu, since))
			break;
	}
	if (has_run)
		store_insn_regs(&regs, rip);
	if (outcome == STEP_DONE)
		return true;
	raise(vcpu, outcome, &emulation->space.paging.fault);
	return has_run || outcome != STEP_REFUSED;
}
