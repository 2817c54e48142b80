/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT violations: a first write to private memory gets its copy, a write to ROM
 * is dropped, what is no memory is a device.
 *
 * Dropping a write without the rest of the instruction: the page of ROM is
 * replaced by a scratch copy for one instruction, and put back after it. So every
 * instruction there is has all its other effects, with nothing to decode: vector
 * stores, CALL, the processor's own writes to page tables. The instruction is
 * stepped by RFLAGS.TF, with all exceptions intercepted so that no guest handler sees
 * that; a repeated string instruction stops after each iteration. Where it is the
 * delivery of an event that writes to ROM, a preemption timer of zero
 * stops the guest before the handler's first instruction. Only this vCPU runs on the
 * tree meanwhile.
 *
 * Seen by a guest after all: SYSCALL, POPF, IRET and INT in a page whose guest
 * page tables lie in ROM with the accessed bit clear are stepped too, and save or load TF.
 */
#include "hv/ept/ept.h"

#include "hv/assert.h"
#include "hv/ept/fault.h"
#include "hv/ept/memory_type.h"
#include "hv/ept/region.h"
#include "hv/frame.h"
#include "hv/phys.h"
#include "hv/print.h"
#include "hv/string.h"
#include "hv/vcpu.h"
#include "hv/vm.h"
#include "hv/vmx/vmcs.h"

/* SDM vol. 3, "Exit Qualification for EPT Violations". */
#define QUAL_ACCESS	    UINT64_C(7)
#define QUAL_NMI_UNBLOCKING BIT(12)
#define RFLAGS_TF	    BIT(8)
#define PENDING_BS	    BIT(14)

/* Run the instruction on a scratch copy of the ROM page at gpa. The VM's lock is held. */
static enum status begin_step(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level)
{
	phys_t *scratch = &vcpu->scratch[vcpu->n_steps];
	struct step_page *page = &vcpu->step[vcpu->n_steps];
	uint64_t size = PAGE_SIZE << (9 * level);
	phys_t rom = (entry & EPT_ADDR & ~(size - 1)) + align_down(gpa.raw & (size - 1), PAGE_SIZE);

	if (*scratch == 0)
		*scratch = frame_alloc();
	if (*scratch == 0)
		return ERR_NOMEM;
	memcpy(phys_to_virt(*scratch), phys_to_virt(rom), PAGE_SIZE);
	page->gpa = (gpa_t){align_down(gpa.raw, PAGE_SIZE)};
	TRY(ept_override(&vcpu->vm->ept, page->gpa,
			 *scratch | EPT_PRESENT | EPT_TYPE(MEMORY_TYPE_WB), &page->rom_entry));
	vcpu->n_steps++;
	return OK;
}

/* Let the processor trap after the next instruction. */
static void step_instruction(struct vcpu *vcpu)
{
	uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	vcpu->steps_instruction = true;
	vcpu->step_guest_tf = rflags & RFLAGS_TF;
	vmcs_write(VMCS_GUEST_RFLAGS, rflags | RFLAGS_TF);
	vmcs_write(VMCS_EXCEPTION_BITMAP, UINT32_MAX);
	/*
	 * The shadow of STI or MOV SS ends with this instruction in any case, and VM entry
	 * does not take it together with TF. SDM vol. 3, "Checks on Guest Non-Register State".
	 */
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~(BLOCKING_STI | BLOCKING_MOV_SS));
}

static void end_step_instruction(struct vcpu *vcpu)
{
	if (!vcpu->steps_instruction)
		return;
	vcpu->steps_instruction = false;
	if (!vcpu->step_guest_tf)
		vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) & ~RFLAGS_TF);
	vmcs_write(VMCS_EXCEPTION_BITMAP, EXCEPTIONS_ALWAYS);
}

static void drop_write(struct vcpu *vcpu, struct mem_region *region, gpa_t gpa, uint64_t entry,
		       unsigned level)
{
	if (vcpu->n_steps == STEP_PAGES_MAX) {
		vm_crash(vcpu->vm, "one instruction writes to more than %d pages of ROM",
			 STEP_PAGES_MAX);
		return;
	}
	if (begin_step(vcpu, gpa, entry, level) != OK) {
		vm_crash(vcpu->vm, "no memory left to drop a write to ROM at 0x%llx",
			 (unsigned long long)gpa.raw);
		return;
	}
	if (region->n_dropped++ == 0)
		log_debug("%s: first write to ROM dropped, at 0x%llx", vcpu->vm->config->name,
			  (unsigned long long)gpa.raw);
	if (!(vcpu->event & INTR_VALID) && !vcpu->steps_instruction)
		step_instruction(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
}

void vcpu_end_step(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	lock_acquire(&vm->lock);
	while (vcpu->n_steps) {
		const struct step_page *page = &vcpu->step[--vcpu->n_steps];
		uint64_t scratch;
		/* The leaf exists: nothing is allocated. */
		enum status status = ept_override(&vm->ept, page->gpa, page->rom_entry, &scratch);

		assert(status == OK);
	}
	lock_release(&vm->lock);
	end_step_instruction(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
}

static void copy_page(struct vcpu *vcpu, gpa_t gpa)
{
	phys_t frame;

	if (ept_copy(&vcpu->vm->ept, gpa, &frame) != OK)
		vm_crash(vcpu->vm, "no memory left for a private copy of the page at 0x%llx",
			 (unsigned long long)gpa.raw);
}

static void fill_page(struct vcpu *vcpu, const struct mem_region *region, gpa_t gpa)
{
	if (ept_fill(&vcpu->vm->ept, region, gpa) != OK)
		vm_crash(vcpu->vm, "no memory left to map the page at 0x%llx",
			 (unsigned long long)gpa.raw);
}

/* False: no memory there. */
static bool mend_memory(struct vcpu *vcpu, gpa_t gpa, unsigned access)
{
	struct vm *vm = vcpu->vm;
	struct mem_region *region = mem_map_find(&vm->mem, gpa);
	unsigned level;
	uint64_t entry;
	enum fault_action action;

	lock_acquire(&vm->lock);
	entry = ept_lookup(&vm->ept, gpa, &level);
	action = fault_decide(region, entry, access);
	switch (action) {
	case FAULT_COPY:
		copy_page(vcpu, gpa);
		break;
	case FAULT_DROP:
		drop_write(vcpu, region, gpa, entry, level);
		break;
	case FAULT_MAP:
		fill_page(vcpu, region, gpa);
		break;
	case FAULT_RETRY:
		/* The processor still has the old translation. */
		vcpu->ept_generation = 0;
		break;
	case FAULT_MMIO:
		break;
	}
	lock_release(&vm->lock);
	return action != FAULT_MMIO;
}

/*
 * The instruction has not run, so its single step is not due. Processors save the
 * field clear, but for what MOV SS holds back (SDM vol. 3, "Saving Non-Register
 * State"); Bochs 2.7 does not.
 */
static void forget_single_step(void)
{
	uint64_t pending = vmcs_read(VMCS_GUEST_PENDING_DEBUG);

	if ((pending & PENDING_BS) &&
	    !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS)))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG, pending & ~PENDING_BS);
}

enum exit_action exit_ept_violation(struct vcpu *vcpu)
{
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL);
	gpa_t gpa = {vmcs_read(VMCS_GUEST_PHYS_ADDR)};
	bool delivering = vmcs_read(VMCS_IDT_VECTORING_INFO) & INTR_VALID;

	forget_single_step();
	if (delivering) {
		/* What is pushed has to hold the guest's own TF. */
		end_step_instruction(vcpu);
		vcpu_reinject_vectored(vcpu);
	} else if (qual & QUAL_NMI_UNBLOCKING) {
		/* An IRET that faulted has not ended the blocking of NMIs. */
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
	}

	if (mend_memory(vcpu, gpa, qual & QUAL_ACCESS))
		return EXIT_AGAIN;
	if (delivering || (qual & ACCESS_EXEC)) {
		vm_crash(vcpu->vm, "%s at 0x%llx, where there is no memory",
			 delivering ? "event delivered through memory" : "instruction fetch",
			 (unsigned long long)gpa.raw);
		return EXIT_AGAIN;
	}
	return exit_mmio(vcpu, gpa);
}

/* We built an entry the processor cannot use. */
enum exit_action exit_ept_misconfig(struct vcpu *vcpu)
{
	unsigned level;
	uint64_t gpa = vmcs_read(VMCS_GUEST_PHYS_ADDR);
	uint64_t entry = ept_lookup(&vcpu->vm->ept, (gpa_t){gpa}, &level);

	vm_crash(vcpu->vm, "EPT misconfiguration at 0x%llx, entry 0x%llx", (unsigned long long)gpa,
		 (unsigned long long)entry);
	return EXIT_AGAIN;
}
