/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drop a write without dropping the rest of its instruction: replace the page of ROM by a scratch
 * copy for one instruction, and restore it afterwards. Each instruction thus has all its other
 * effects, and none is decoded: vector stores, CALL, the processor's own writes to page tables.
 * Only plain stores take a shorter way, in exit_ept.c. Where there is no memory, instructions that
 * hv/run/emulate.c does not execute run on a page that reads as a bus does.
 *
 * The guest is entered in the shadow of MOV SS with NMI-window exiting on: the window opens at the
 * first instruction boundary after the shadow, which is after one instruction, one iteration of a
 * string instruction, or the delivery of the fault that the instruction raises. SDM vol. 3, "Other
 * Causes of VM Exits". The guest sees nothing of that: no flag changes, and the shadow holds back
 * no event that the step would not hold back anyway. (The monitor trap flag would do the same, but
 * Bochs 2.7 does not implement it.) A step without an instruction, the delivery of an event that
 * writes to ROM, ends at the same window.
 *
 * vcpu_service() ends the step after the first exit at which the instruction has run. While the
 * guest blocks NMIs, the window stays shut, and another exit ends the step; the slice's end is one.
 * A vCPU that leaves its processor before the instruction has run takes its step along: it would
 * make no progress where a step takes longer than a slice. A vCPU that stops ends its step, and the
 * instruction starts again later.
 *
 * Other vCPUs would see the scratch page: they are stopped before it is mapped, and continue when
 * it is gone (hv/run/sync.h).
 */
#include "hv/run/step.h"

#include "hv/ept/ept.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/run/step_pages.h"
#include "hv/run/sync.h"
#include "hv/vcpu/shadow.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

void step_set_shadow(uint64_t shadow)
{
	uint64_t blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	blocking = (blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS)) | shadow;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG,
		   shadow_pending_debug(vmcs_read(VMCS_GUEST_PENDING_DEBUG), blocking,
					vmcs_read(VMCS_GUEST_RFLAGS)));
}

static void step_instruction(struct vcpu *vcpu)
{
	vcpu->steps_instruction = true;
	vcpu->step_pages->rip = vmcs_read(VMCS_GUEST_RIP);
	vcpu->step_pages->rcx = vcpu->regs.gpr[RCX];
	vcpu->step_pages->blocking =
		vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS);
	step_set_shadow(BLOCKING_MOV_SS);
}

/* Allocate a frame within the VM's limit. 0: there is none. */
static phys_t take_frame(struct vcpu *vcpu)
{
	phys_t frame;

	if (ept_charge(vcpu->ept) != OK)
		return 0;
	frame = frame_alloc();
	if (frame == 0)
		ept_discharge(vcpu->ept);
	return frame;
}

/* Allocate the scratch frame for the next page. */
static enum status get_scratch(struct vcpu *vcpu)
{
	phys_t *scratch;

	if (vcpu->step_pages == NULL) {
		phys_t frame = take_frame(vcpu);

		if (frame == 0)
			return ERR_NOMEM;
		vcpu->step_pages = phys_to_virt(frame);
		*vcpu->step_pages = (struct step_pages){0};
	}
	scratch = &vcpu->step_pages->scratch[vcpu->n_steps];
	if (*scratch == 0)
		*scratch = take_frame(vcpu);
	return *scratch ? OK : ERR_NOMEM;
}

/* Put back what was mapped, or nothing. The VM's lock is held. */
static void restore_page(struct vcpu *vcpu, unsigned n)
{
	const struct step_pages *pages = vcpu->step_pages;
	uint64_t scratch;
	/* The leaf exists, so that nothing is allocated. */
	enum status status =
		ept_override(&vcpu->vm->ept, pages->gpa[n], pages->old_entry[n], &scratch);

	assert(status == OK);
}

static void restore_pages(struct vcpu *vcpu)
{
	while (vcpu->n_steps)
		restore_page(vcpu, --vcpu->n_steps);
}

/*
 * An instruction with many elements (a scatter), or several iterations of a repeated one, may write
 * to more pages than there are. What is done is not done again: the oldest page is put back.
 * One that needs all its pages at once would come back for ever: stop it.
 */
static enum status make_room(struct vcpu *vcpu)
{
	if (vcpu->n_steps < STEP_PAGES_MAX)
		return OK;
	if (vcpu->steps_instruction && vcpu->regs.gpr[RCX] != vcpu->step_pages->rcx) {
		vcpu->step_pages->rcx = vcpu->regs.gpr[RCX];
		vcpu->n_reused = 0;
	}
	if (vcpu->n_reused == STEP_REUSED_MAX)
		return ERR_RANGE;
	vcpu->n_reused++;
	restore_page(vcpu, 0);
	step_pages_age(vcpu->step_pages);
	vcpu->n_steps--;
	return OK;
}

/* A frame for the step's next page, which the caller fills before map_page(). */
static enum status get_page(struct vcpu *vcpu, char **ret)
{
	if (vcpu->n_steps == 0)
		vcpu->n_reused = 0;
	TRY(make_room(vcpu));
	TRY(get_scratch(vcpu));
	*ret = phys_to_virt(vcpu->step_pages->scratch[vcpu->n_steps]);
	return OK;
}

static enum status map_page(struct vcpu *vcpu, gpa_t gpa)
{
	struct step_pages *pages = vcpu->step_pages;
	unsigned n = vcpu->n_steps;

	pages->gpa[n] = (gpa_t){align_down(gpa.raw, PAGE_SIZE)};
	TRY(ept_override(&vcpu->vm->ept, pages->gpa[n],
			 pages->scratch[n] | EPT_PRESENT | EPT_TYPE(MEMORY_TYPE_WB),
			 &pages->old_entry[n]));
	vcpu->n_steps++;
	if (!(vcpu->guest.event & INTR_VALID) && !vcpu->steps_instruction)
		step_instruction(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	return OK;
}

enum status step_over_rom(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level)
{
	uint64_t offset_mask = (PAGE_SIZE << (9 * level)) - 1;
	phys_t rom =
		(entry & EPT_ADDR & ~offset_mask) + align_down(gpa.raw & offset_mask, PAGE_SIZE);
	char *page;

	TRY(get_page(vcpu, &page));
	memcpy(page, phys_to_virt(rom), PAGE_SIZE);
	return map_page(vcpu, gpa);
}

enum status step_over_hole(struct vcpu *vcpu, gpa_t gpa, uint32_t value)
{
	char *page;

	TRY(get_page(vcpu, &page));
	memset(page, 0xff, PAGE_SIZE);
	memcpy(page + align_down(gpa.raw % PAGE_SIZE, sizeof(value)), &value, sizeof(value));
	return map_page(vcpu, gpa);
}

void step_deliver(struct vcpu *vcpu)
{
	if (!vcpu->steps_instruction)
		return;
	vcpu->steps_instruction = false;
	step_set_shadow(0);
}

bool step_is_done(const struct vcpu *vcpu)
{
	bool delivers = vcpu->guest.event & INTR_VALID;

	if (!vcpu->steps_instruction)
		return !delivers;
	return delivers || vmcs_read(VMCS_GUEST_RIP) != vcpu->step_pages->rip ||
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_MOV_SS);
}

/* Restore the guest's own shadow before the instruction, if that has not run. */
static void end_instruction(struct vcpu *vcpu)
{
	if (!vcpu->steps_instruction)
		return;
	vcpu->steps_instruction = false;
	if (vmcs_read(VMCS_GUEST_RIP) == vcpu->step_pages->rip &&
	    (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_MOV_SS))
		step_set_shadow(vcpu->step_pages->blocking);
}

void step_end(struct vcpu *vcpu)
{
	struct memory_lock held = memory_lock(vcpu);

	restore_pages(vcpu);
	memory_unlock(&held);
	end_instruction(vcpu);
	if (vcpu->vm->n_vcpus > 1)
		sync_let_others_go(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
}
