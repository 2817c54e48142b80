/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drop a write without dropping the rest of its instruction: replace the page of ROM by a scratch
 * copy for one instruction, and restore it afterwards. Each instruction thus has all its other
 * effects, and none is decoded: vector stores, CALL, the processor's own writes to page tables.
 *
 * RFLAGS.TF stops the guest after the instruction, and all exceptions are intercepted, so that no
 * guest handler sees TF. A repeated string instruction stops after each iteration. If the delivery
 * of an event writes to ROM, a preemption timer of zero stops the guest before the first
 * instruction of the handler.
 *
 * Other vCPUs would see the scratch page: they are stopped before it is mapped, and continue when
 * the ROM is back (hv/run/sync.h). A vCPU that leaves its processor ends its step first; the
 * instruction starts again later.
 *
 * Instructions that store or load TF themselves are corrected afterwards, except INT n: if its own
 * fetch sets an accessed bit in ROM, its handler finds TF in the flags on the stack.
 */
#include "hv/run/step.h"

#include "hv/ept/ept.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/guest_paging.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/run/sync.h"
#include "hv/vcpu/step_kind.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

/* SDM vol. 3, "Exit Qualification for Debug Exceptions": BS, a single step. */
#define QUAL_DB_STEP BIT(14)

static enum step_kind kind_at_rip(struct vcpu *vcpu)
{
	uint64_t linear = vmcs_read(VMCS_GUEST_CS_BASE) + vmcs_read(VMCS_GUEST_RIP);
	uint8_t bytes[15];
	struct guest_paging paging;
	size_t n = PAGE_SIZE - (linear & (PAGE_SIZE - 1));

	/* A page boundary inside one of the instructions in question is rare enough to ignore. */
	if (n > sizeof(bytes))
		n = sizeof(bytes);
	vcpu_read_paging(&vcpu->vm->memory, &paging);
	if (guest_read_linear(&paging, linear, bytes, n, ACCESS_EXEC) != OK)
		return STEP_PLAIN;
	return step_kind(bytes, n, vcpu_in_64bit_code());
}

/* Let the processor trap after the next instruction. */
static void step_instruction(struct vcpu *vcpu)
{
	uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	vcpu->steps_instruction = true;
	vcpu->step_guest_tf = rflags & RFLAGS_TF;
	vcpu->step_rip = vmcs_read(VMCS_GUEST_RIP);
	vcpu->step_kind = kind_at_rip(vcpu);
	vmcs_write(VMCS_GUEST_RFLAGS, rflags | RFLAGS_TF);
	vmcs_write(VMCS_EXCEPTION_BITMAP, UINT32_MAX);
	/*
	 * The shadow of STI or MOV SS ends with this instruction in any case, and VM entry refuses
	 * it together with TF. SDM vol. 3, "Checks on Guest Non-Register State".
	 */
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~(BLOCKING_STI | BLOCKING_MOV_SS));
}

/* Allocate the scratch frame for the next page. */
static enum status get_scratch(struct vcpu *vcpu)
{
	phys_t *scratch;

	if (vcpu->step_pages == NULL) {
		phys_t frame = frame_alloc_zeroed();

		if (frame == 0)
			return ERR_NOMEM;
		vcpu->step_pages = phys_to_virt(frame);
	}
	scratch = &vcpu->step_pages->scratch[vcpu->n_steps];
	if (*scratch == 0)
		*scratch = frame_alloc();
	return *scratch ? OK : ERR_NOMEM;
}

enum status step_over_rom(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level)
{
	uint64_t offset_mask = (PAGE_SIZE << (9 * level)) - 1;
	phys_t rom =
		(entry & EPT_ADDR & ~offset_mask) + align_down(gpa.raw & offset_mask, PAGE_SIZE);
	unsigned n = vcpu->n_steps;
	struct step_pages *pages;

	if (n == STEP_PAGES_MAX)
		return ERR_RANGE;
	TRY(get_scratch(vcpu));
	pages = vcpu->step_pages;
	memcpy(phys_to_virt(pages->scratch[n]), phys_to_virt(rom), PAGE_SIZE);
	pages->gpa[n] = (gpa_t){align_down(gpa.raw, PAGE_SIZE)};
	TRY(ept_override(&vcpu->vm->ept, pages->gpa[n],
			 pages->scratch[n] | EPT_PRESENT | EPT_TYPE(MEMORY_TYPE_WB),
			 &pages->rom_entry[n]));
	vcpu->n_steps++;
	if (!(vcpu->guest.event & INTR_VALID) && !vcpu->steps_instruction)
		step_instruction(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
	return OK;
}

/* Clear the TF that PUSHF pushed. Bytes pushed to ROM were dropped and need no repair. */
static void mend_pushed_flags(struct vcpu *vcpu)
{
	uint64_t linear = vmcs_read(VMCS_GUEST_SS_BASE) + vmcs_read(VMCS_GUEST_RSP) + 1;
	struct guest_paging paging;
	const struct mem_region *region;
	uint8_t byte;
	gpa_t gpa;

	if (!vcpu_in_64bit_code())
		linear &= UINT32_MAX;
	vcpu_read_paging(&vcpu->vm->memory, &paging);
	if (guest_translate(&paging, linear, ACCESS_WRITE, &gpa) != OK)
		return;
	region = mem_map_find(vcpu->vm->mem, gpa);
	if (region == NULL || region->kind == MEM_ROM ||
	    guest_read(&vcpu->vm->memory, gpa, &byte, 1) != OK)
		return;
	byte &= (uint8_t) ~(RFLAGS_TF >> 8);
	/*
	 * The guest has just written there: the page is private already, so that nothing is
	 * allocated.
	 */
	enum status status = guest_write(&vcpu->vm->memory, gpa, &byte, 1);

	assert(status == OK);
}

/* The instruction ran with TF set, which was clear in the guest. */
static void hide_trap_flag(struct vcpu *vcpu, bool done)
{
	uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	if (!done || vcpu->step_kind != STEP_LOADS)
		vmcs_write(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_TF);
	if (done && vcpu->step_kind == STEP_PUSHF)
		mend_pushed_flags(vcpu);
	if (done && vcpu->step_kind == STEP_SYSCALL)
		vcpu->regs.gpr[R11] &= ~RFLAGS_TF;
}

void step_end_instruction(struct vcpu *vcpu)
{
	if (!vcpu->steps_instruction)
		return;
	vcpu->steps_instruction = false;
	if (!vcpu->step_guest_tf)
		hide_trap_flag(vcpu, vmcs_read(VMCS_GUEST_RIP) != vcpu->step_rip);
	vmcs_write(VMCS_EXCEPTION_BITMAP, EXCEPTIONS_ALWAYS);
}

void step_end(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct memory_lock held = memory_lock(vcpu);

	while (vcpu->n_steps) {
		const struct step_pages *pages = vcpu->step_pages;
		unsigned n = --vcpu->n_steps;
		uint64_t scratch;
		/* The leaf exists, so that nothing is allocated. */
		enum status status =
			ept_override(&vm->ept, pages->gpa[n], pages->rom_entry[n], &scratch);

		assert(status == OK);
	}
	step_end_instruction(vcpu);
	memory_unlock(&held);
	if (vm->n_vcpus > 1)
		sync_let_others_go(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
}

void step_check(struct vcpu *vcpu)
{
	/* INT n leaves no trap pending: its handler has begun. */
	if (vcpu->n_steps &&
	    (!vcpu->steps_instruction || vmcs_read(VMCS_GUEST_RIP) != vcpu->step_rip))
		step_end(vcpu);
}

bool step_ended_by(struct vcpu *vcpu, uint64_t info)
{
	bool ours = vcpu->steps_instruction && !vcpu->step_guest_tf &&
		    (info & INTR_VECTOR) == VECTOR_DB && (info & INTR_TYPE) == INTR_TYPE_HARDWARE &&
		    vmcs_read(VMCS_EXIT_QUAL) == QUAL_DB_STEP;

	step_end(vcpu);
	return ours;
}
