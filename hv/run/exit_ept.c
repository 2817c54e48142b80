/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT violations: copy private memory at the first write, drop a write to ROM, and treat an address
 * without memory as a device, or as nothing.
 */
#include "hv/run/exit_handlers.h"

#include "hv/devices/insn_decode.h"
#include "hv/ept/ept.h"
#include "hv/guest/fault.h"
#include "hv/guest/region_map.h"
#include "hv/run/access.h"
#include "hv/run/emulate.h"
#include "hv/run/event.h"
#include "hv/run/step.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/sync.h"
#include "hv/vcpu/forget.h"
#include "hv/vcpu/shadow.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"
#include "hv/vm/vm_identity.h"
#include "hv/vmx/vmcs.h"

/* SDM vol. 3, "Exit Qualification for EPT Violations". */
#define QUAL_ACCESS	    UINT64_C(7)
#define QUAL_NMI_UNBLOCKING BIT(12)
#define DR7_ENABLES	    UINT64_C(0xff)

static void note_first_drop(const struct vcpu *vcpu, gpa_t gpa)
{
	if (vcpu->vm->memory.n_dropped == 0)
		vm_tell(vcpu->vm, VM_TOLD_ROM_DROPPED, LOG_DEBUG,
			"first write to ROM dropped, at 0x%lx", gpa.raw);
}

/*
 * Execute a plain store in place of the processor, which takes no step. False: the instruction is
 * another one, or stores beyond the page, or the processor must look for breakpoints on data.
 */
static bool drop_store(struct vcpu *vcpu, gpa_t gpa)
{
	struct emulation emulation;

	if (vcpu->n_steps || (vcpu->guest.event & INTR_VALID) ||
	    (vmcs_read(VMCS_GUEST_DR7) & DR7_ENABLES) ||
	    emulate_decode(vcpu, true, &emulation) != OK || !insn_is_plain_store(emulation.insn))
		return false;
	note_first_drop(vcpu, gpa);
	return emulate_run(vcpu, &emulation);
}

/* The instruction needs a page that the step cannot have. */
static void stop_step(struct vcpu *vcpu, gpa_t gpa, enum status status)
{
	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, gpa);
	else
		vm_crash(vcpu->vm, "no scratch page can be mapped for an instruction, at 0x%lx",
			 gpa.raw);
}

static void drop_write(struct vcpu *vcpu, const struct mem_region *region, gpa_t gpa,
		       uint64_t entry, unsigned level)
{
	enum status status = step_over_rom(vcpu, gpa, entry, level);

	if (status != OK) {
		stop_step(vcpu, gpa, status);
		return;
	}
	note_first_drop(vcpu, gpa);
	guest_note_drop(&vcpu->vm->memory, region);
}

static void copy_page(struct vcpu *vcpu, const struct mem_region *region, gpa_t gpa)
{
	phys_t frame;

	if (region_copy_page(&vcpu->vm->ept, region, gpa, &frame) != OK)
		stop_for_memory(vcpu, gpa);
}

static void show_zeros(struct vcpu *vcpu, gpa_t gpa)
{
	if (ept_show_zeros(&vcpu->vm->ept, gpa) != OK)
		stop_for_memory(vcpu, gpa);
}

static void split_page(struct vcpu *vcpu, gpa_t gpa)
{
	if (ept_split(&vcpu->vm->ept, gpa) != OK)
		stop_for_memory(vcpu, gpa);
}

static void fill_page(struct vcpu *vcpu, const struct mem_region *region, gpa_t gpa)
{
	struct vm *vm = vcpu->vm;
	enum status status = vm_identity_is_at(vm, gpa) ? vm_identity_show(vm)
							: region_map_page(&vm->ept, region, gpa);

	if (status != OK)
		stop_for_memory(vcpu, gpa);
}

/* The page at which the exit occurred was fresh. */
static __attribute__((noinline)) void fill_around(struct vcpu *vcpu)
{
	gpa_t gpa = {vmcs_read_next(VMCS_GUEST_PHYS_ADDR)};
	const struct mem_region *region = guest_region(&vcpu->vm->memory, gpa);

	ept_fill_around(&vcpu->vm->ept, gpa, region->gpa, gpa_add(region->gpa, region->len));
}

/* Give the page 2 MiB of memory that is written in order. */
static bool fill_large(struct vm *vm, gpa_t gpa)
{
	const struct mem_region *region = guest_region(&vm->memory, gpa);

	return region->image == NULL &&
	       ept_fill_large(&vm->ept, gpa, region->gpa, gpa_add(region->gpa, region->len));
}

/* Tables are copied first, or the copy is not the page's first one. */
static __attribute__((noinline)) bool copy_first(struct vm *vm, gpa_t gpa)
{
	phys_t frame;

	return fill_large(vm, gpa) || ept_copy(&vm->ept, gpa, &frame) == OK;
}

/*
 * The usual case, and fast: the first write to a page of private memory. A copy leaves the
 * generation as it is if the page was fresh.
 */
static inline bool copy_at_once(struct vcpu *vcpu, gpa_t gpa)
{
	struct vm *vm = vcpu->vm;
	bool is_copied;

	lock_acquire(&vm->lock);
	is_copied = ept_copy_beside(&vm->ept, gpa) || copy_first(vm, gpa);
	if (vm->ept.generation != vcpu->ept_generation)
		vcpu->has_moved_on = true;
	else if (is_copied)
		fill_around(vcpu);
	lock_release(&vm->lock);
	return is_copied;
}

/* Whether this vCPU may replace a page for its instruction alone. Otherwise it tries again. */
static bool may_step(struct vcpu *vcpu)
{
	return vcpu->vm->n_vcpus == 1 || sync_stop_others(vcpu);
}

/* If no step has begun after may_step(), nothing is to be ended later. */
static void end_no_step(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (vm->n_vcpus > 1 && vm->only_vcpu == vcpu && vcpu->n_steps == 0)
		sync_let_others_go(vcpu);
}

static __attribute__((noinline)) enum exit_action
mend_memory(struct vcpu *vcpu, const struct mem_region *region, gpa_t gpa, unsigned access)
{
	struct vm *vm = vcpu->vm;
	uint64_t entry;
	unsigned level;

	if (region->kind == MEM_ROM && (access & ACCESS_WRITE) &&
	    (drop_store(vcpu, gpa) || !may_step(vcpu)))
		return EXIT_AGAIN;
	if (vm_identity_is_at(vm, gpa) && !may_step(vcpu))
		return EXIT_AGAIN;
	struct memory_lock held = memory_lock(vcpu);
	entry = ept_lookup(&vm->ept, gpa, &level);
	switch (fault_decide(region, entry, access)) {
	case FAULT_COPY:
		copy_page(vcpu, region, gpa);
		break;
	case FAULT_ZEROS:
		show_zeros(vcpu, gpa);
		break;
	case FAULT_SPLIT:
		split_page(vcpu, gpa);
		break;
	case FAULT_DROP:
		drop_write(vcpu, region, gpa, entry, level);
		break;
	case FAULT_MAP:
		fill_page(vcpu, region, gpa);
		break;
	case FAULT_RETRY:
		/* The processor used an old translation. */
		vcpu_distrust(vcpu);
		break;
	case FAULT_MMIO: /* impossible: there is a region */
		break;
	}
	memory_unlock(&held);
	end_no_step(vcpu);
	return EXIT_AGAIN;
}

/* What an instruction reads that is not executed here: registers have four bytes. */
static uint32_t read_register(struct vcpu *vcpu, gpa_t gpa)
{
	const struct operand operand = {
		.n_parts = 1,
		.part[0] = {.gpa = {align_down(gpa.raw, sizeof(uint32_t))},
			    .len = sizeof(uint32_t)},
	};
	struct access_value value = {0};

	access_read(vcpu, &operand, &value);
	return (uint32_t)value.word[0];
}

/*
 * The processor executes the instruction. It may read one register of a device, but what it writes
 * is lost: instructions that may write to registers are executed here.
 */
static void step_at_hole(struct vcpu *vcpu, gpa_t gpa)
{
	uint32_t value = read_register(vcpu, gpa);
	enum status status;

	if (!may_step(vcpu))
		return;
	struct memory_lock held = memory_lock(vcpu);
	status = step_over_hole(vcpu, gpa, value);
	if (status != OK)
		stop_step(vcpu, gpa, status);
	memory_unlock(&held);
	end_no_step(vcpu);
}

/* There is a device at gpa, or nothing. */
static void access_device(struct vcpu *vcpu, gpa_t gpa)
{
	struct emulation emulation;

	switch (emulate_decode(vcpu, false, &emulation)) {
	case OK:
		if (vcpu->n_steps)
			step_end(vcpu);
		if (!emulate_run(vcpu, &emulation))
			step_at_hole(vcpu, gpa);
		break;
	case ERR_NOMEM: /* a step would lose what the instruction writes to the device */
		lock_acquire(&vcpu->vm->lock);
		stop_for_memory(vcpu, emulation.space.paging.fault.gpa);
		lock_release(&vcpu->vm->lock);
		break;
	default:
		step_at_hole(vcpu, gpa);
	}
}

/*
 * The instruction has not run, so that its single step is not due. Processors save the field clear,
 * except for what MOV SS holds back (SDM vol. 3, "Saving Non-Register State"); Bochs 2.7 does not.
 */
static void forget_single_step(void)
{
	uint64_t pending = vmcs_read_next(VMCS_GUEST_PENDING_DEBUG);

	if (pending & PENDING_BS)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   shadow_pending_debug(pending, vmcs_read(VMCS_GUEST_INTERRUPTIBILITY),
						vmcs_read(VMCS_GUEST_RFLAGS)));
}

/* gpa lies outside memory. */
static __attribute__((noinline)) enum exit_action miss_memory(struct vcpu *vcpu, gpa_t gpa,
							      uint64_t qual, bool delivering)
{
	if (delivering || (qual & ACCESS_EXEC))
		vm_crash(vcpu->vm, "%s at 0x%lx, where there is no memory",
			 delivering ? "event delivered through memory" : "instruction fetch",
			 gpa.raw);
	else
		access_device(vcpu, gpa);
	return EXIT_AGAIN;
}

/* The exit has interrupted the delivery of an event, or an IRET. */
static __attribute__((noinline)) void begin_again(struct vcpu *vcpu, bool delivering)
{
	if (delivering) {
		step_deliver(vcpu);
		vcpu_reinject_vectored(vcpu);
	} else {
		/* The IRET that faulted did not end the blocking of NMIs. */
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
	}
}

static __attribute__((noinline)) enum exit_action mend_violation(struct vcpu *vcpu)
{
	uint64_t qual = vmcs_read_next(VMCS_EXIT_QUAL);
	gpa_t gpa = {vmcs_read_next(VMCS_GUEST_PHYS_ADDR)};
	bool delivering = vmcs_read_next(VMCS_IDT_VECTORING_INFO) & INTR_VALID;
	const struct mem_region *region;

	forget_single_step();
	if (delivering || (qual & QUAL_NMI_UNBLOCKING))
		begin_again(vcpu, delivering);
	region = guest_region(&vcpu->vm->memory, gpa);
	if (region == NULL)
		return miss_memory(vcpu, gpa, qual, delivering);
	if (region->copies_anywhere && (qual & ACCESS_WRITE) && copy_at_once(vcpu, gpa))
		return EXIT_AGAIN;
	return mend_memory(vcpu, region, gpa, qual & QUAL_ACCESS);
}

/* Whether the exit is a write to private memory, and there is nothing else to do for it. */
static inline bool is_mere_write(struct vcpu *vcpu, gpa_t gpa)
{
	uint64_t qual = vmcs_read_next(VMCS_EXIT_QUAL);
	const struct mem_region *region = guest_region_again(&vcpu->vm->memory, gpa);

	return region != NULL && region->copies_anywhere &&
	       (qual & (ACCESS_WRITE | QUAL_NMI_UNBLOCKING)) == ACCESS_WRITE &&
	       !(vmcs_read_next(VMCS_IDT_VECTORING_INFO) & INTR_VALID) &&
	       !(vmcs_read_next(VMCS_GUEST_PENDING_DEBUG) & PENDING_BS);
}

/* What is rare is out of line, and reads all again, because copies need less stack. */
enum exit_action exit_ept_violation(struct vcpu *vcpu)
{
	gpa_t gpa = {vmcs_read_next(VMCS_GUEST_PHYS_ADDR)};

	if (is_mere_write(vcpu, gpa) && copy_at_once(vcpu, gpa))
		return EXIT_AGAIN;
	return mend_violation(vcpu);
}

/* The processor cannot use an entry of ours. */
enum exit_action exit_ept_misconfig(struct vcpu *vcpu)
{
	unsigned level;
	uint64_t gpa = vmcs_read(VMCS_GUEST_PHYS_ADDR);
	uint64_t entry = ept_lookup(&vcpu->vm->ept, (gpa_t){gpa}, &level);

	vm_crash(vcpu->vm, "EPT misconfiguration at 0x%lx, entry 0x%lx", gpa, entry);
	return EXIT_AGAIN;
}
