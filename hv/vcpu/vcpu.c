/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual processor's life and its copy, and questions about the loaded one. What moves its state
 * into a processor and out is hv/vcpu/load.c; what runs it is hv/run/run.c.
 */
#include "hv/vcpu/vcpu.h"

#include "hv/devices/irqchip.h"
#include "hv/ept/ept.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/guest_paging.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/vmx/vmcs.h"

struct vcpu_shared vcpu_shared;

unsigned vcpu_leaf_levels(void)
{
	uint64_t cap = vcpu_shared.capability.ept_vpid;

	if (!(cap & EPT_CAP_2M))
		return 1;
	return cap & EPT_CAP_1G ? 3 : 2;
}

void vcpu_power_on(struct vcpu *vcpu)
{
	bool is_first = vcpu->number == 0;

	assert(vcpu->n_steps == 0);
	vcpu->guest.event = 0;
	vcpu->guest.is_dead = false;
	/* The clock keeps running, but without the guest's changes. */
	vcpu->guest.tsc_offset -= vcpu->guest.tsc_adjust;
	vcpu->guest.tsc_adjust = 0;
	vcpu->guest.kvm = (struct kvm_msrs){0};
	vcpu->guest.waits_for_sipi = vcpu->guest.is_fresh = !is_first;
	/* Another action may have been asked for since the last one was taken. */
	__atomic_fetch_and(&vcpu->regs.requests, VCPU_REQUEST_GATHER, __ATOMIC_RELAXED);
	vcpu_request(vcpu,
		     VCPU_REQUEST_TIMER | (is_first ? VCPU_REQUEST_START : VCPU_REQUEST_HALT));
}

/* Clear all that is neither copied nor saved, and set what belongs to the VM. */
static void begin(struct vcpu *vcpu, struct vm *vm, unsigned number, struct ept *ept,
		  struct lapic *lapic)
{
	enum { START = offsetof(struct vcpu, look_at), END = offsetof(struct vcpu, until) };

	_Static_assert(START % 8 == 0 && END % 8 == 0, "words");
	vcpu->regs.launched = false;
	vcpu->vm = vm;
	vcpu->ept = ept;
	vcpu->lapic = lapic;
	zero_words((char *)vcpu + START, (END - START) / 8);
	vcpu->number = (uint16_t)number;
}

void vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned number, struct ept *ept,
		 struct lapic *lapic)
{
	vcpu->regs = (struct guest_regs){0};
	begin(vcpu, vm, number, ept, lapic);
	vcpu->guest = (struct vcpu_guest){.xcr0 = 1, .owns_msrs = true};
	vcpu->saved = (struct vcpu_saved){0};
	vcpu->cpuid = &vcpu_shared.cpuid;
	vcpu->saved_in = vcpu;
	/*
	 * The area may have any contents. XRSTOR looks at MXCSR even when the header names no
	 * component (SDM vol. 1, "Operation of XRSTOR").
	 */
	memset(vcpu->xsave_area, 0, XSAVE_HEADER + XSAVE_ALIGN);
	vcpu_power_on(vcpu);
}

static inline __attribute__((always_inline)) void copy(struct vcpu *to, const struct vcpu *from)
{
	_Static_assert(offsetof(struct vcpu_guest, msrs) % 8 == 0, "words");
	copy_words(to->regs.gpr, from->regs.gpr, ARRAY_SIZE(to->regs.gpr));
	to->regs.spec_ctrl = from->regs.spec_ctrl;
	copy_words(&to->guest, &from->guest, offsetof(struct vcpu_guest, msrs) / 8);
	to->guest.owns_msrs = false;
	to->guest.template_msrs = &from->guest.msrs;
	to->saved_in = from;
	if (to->guest.kvm.system_time)
		kvm_msrs_note_gap(&to->guest.kvm, rdtsc() - from->stolen, tsc_hz);
}

void vcpu_copy(struct vcpu *to, const struct vcpu *from)
{
	copy(to, from);
	/* Atomic: other processors may request something at this moment. */
	__atomic_fetch_and(&to->regs.requests, ~(uint32_t)(VCPU_REQUEST_START | VCPU_REQUEST_HALT),
			   __ATOMIC_RELAXED);
	vcpu_request(to, vcpu_requests_of_copy(from));
}

void vcpu_copy_loaded(struct vcpu *to, const struct vcpu *from)
{
	copy(to, from);
}

void vcpu_create_copy(struct vcpu *to, struct vm *vm, struct ept *ept, struct lapic *lapic,
		      const struct vcpu *from)
{
	begin(to, vm, from->number, ept, lapic);
	to->cpuid = from->cpuid;
	copy(to, from);
	to->regs.requests = vcpu_requests_of_copy(from);
}

static void free_frame(struct vcpu *vcpu, phys_t frame)
{
	frame_free(frame);
	ept_discharge(vcpu->ept);
}

void vcpu_free_scratch(struct vcpu *vcpu)
{
	struct step_pages *pages = vcpu->step_pages;

	if (pages == NULL)
		return;
	for (unsigned i = 0; i < STEP_PAGES_MAX; i++)
		if (pages->scratch[i])
			free_frame(vcpu, pages->scratch[i]);
	free_frame(vcpu, virt_to_phys(pages));
	vcpu->step_pages = NULL;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu_free_scratch(vcpu);
}

void vcpu_keep(struct vcpu *vcpu)
{
	assert(vcpu->n_steps == 0);
	(void)vcpu_own_msrs(vcpu);
	if (vcpu->saved_in == vcpu)
		return;
	vcpu->saved = vcpu->saved_in->saved;
	memcpy(vcpu->xsave_area, vcpu->saved_in->xsave_area, vcpu->cpuid->basic[0xd].ecx);
	vcpu->saved_in = vcpu;
}

uint64_t vcpu_now(const struct vcpu *vcpu)
{
	return rdtsc() + vcpu->guest.tsc_offset;
}

uint64_t vcpu_next_deadline(const struct vcpu *vcpu)
{
	uint64_t now = rdtsc();

	return deadline_translate(irqchip_next_deadline(vcpu->lapic), now + vcpu->guest.tsc_offset,
				  now);
}

void vcpu_read_paging(struct guest_memory *memory, struct guest_paging *ret)
{
	ret->memory = memory;
	ret->cr0 = vmcs_read(VMCS_GUEST_CR0);
	ret->cr3 = vmcs_read_next(VMCS_GUEST_CR3);
	ret->cr4 = vmcs_read_next(VMCS_GUEST_CR4);
	ret->efer = vmcs_read_next(VMCS_GUEST_EFER);
	ret->rflags = vmcs_read_next(VMCS_GUEST_RFLAGS);
	ret->cpl = vmcs_read_next(VMCS_GUEST_SS_AR) >> 5 & 3;
	ret->phys_bits = vcpu_shared.cpuid.extended[8].eax & 0xff;
	if ((ret->efer & EFER_LMA) || !(ret->cr4 & CR4_PAE))
		return;
	for (unsigned i = 0; i < 4; i++)
		ret->pdpte[i] = vmcs_read((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i));
}

bool vcpu_in_64bit_code(void)
{
	enum { AR_L = 1 << 13 };

	return (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) && (vmcs_read(VMCS_GUEST_CS_AR) & AR_L);
}

void vcpu_owe_single_step(void)
{
	if (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF)
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}
