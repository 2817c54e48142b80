/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills what all vCPUs share, once at start. */
#include "hv/vcpu/setup.h"

#include "hv/devices/lapic_timer.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/policy.h"
#include "hv/host/tsc.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"

#define CLOCK_GRAINS_PER_S 20000 /* 50 us: see vcpu_arm_timer() */
#define TIMER_MAX_HZ	   5000	 /* of a guest's periodic timer, as under KVM */

static const struct cpu_facts *facts; /* of all processors; during vcpu_setup() only */

static void common_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	cpuid(leaf, subleaf, ret);
	facts_limit(facts, leaf, subleaf, ret);
}

static enum status make_apic_bitmaps(struct vcpu_shared *shared)
{
	uint8_t *eoi, *tpr;

	if (!vcpu_has_control2(PROC2_VIRTUAL_INTERRUPTS))
		return OK;
	shared->msr_bitmap_eoi = frame_alloc();
	shared->msr_bitmap_tpr = frame_alloc();
	if (shared->msr_bitmap_eoi == 0 || shared->msr_bitmap_tpr == 0)
		return ERR_NOMEM;
	eoi = phys_to_virt(shared->msr_bitmap_eoi);
	tpr = phys_to_virt(shared->msr_bitmap_tpr);
	memcpy(eoi, phys_to_virt(shared->msr_bitmap), PAGE_SIZE);
	msr_bitmap_free_eoi(eoi);
	memcpy(tpr, eoi, PAGE_SIZE);
	msr_bitmap_free_tpr(tpr, vcpu_has_control2(PROC2_APIC_REGISTERS));
	return OK;
}

enum status vcpu_setup(const struct processor_report *common)
{
	struct vcpu_shared *shared = &vcpu_shared;
	const struct vmx_capability *capability = &common->vmx;

	shared->capability = *capability;
	shared->invept_type =
		capability->ept_vpid & EPT_CAP_INVEPT_SINGLE ? FLUSH_SINGLE : FLUSH_ALL;
	TRY(vmx_controls_choose(capability, &shared->controls));
	shared->n_switched = vcpu_has_control2(PROC2_RDTSCP) ? N_SWITCHED : SWITCHED_TSC_AUX;
	shared->switches_speculation = host_policy.measures & MEASURE_IBPB;
	shared->clock_grain = tsc_hz / CLOCK_GRAINS_PER_S;
	lapic_min_period = tsc_hz / TIMER_MAX_HZ;
	shared->preemption_shift = capability->misc & 0x1f;
	shared->io_bitmap = frame_alloc();
	shared->msr_bitmap = frame_alloc();
	if (shared->io_bitmap == 0 || shared->msr_bitmap == 0)
		return ERR_NOMEM;
	memset(phys_to_virt(shared->io_bitmap), 0xff, PAGE_SIZE);
	msr_bitmap_init(phys_to_virt(shared->msr_bitmap), vcpu_has_control2(PROC2_RDTSCP));
	TRY(make_apic_bitmaps(shared));
	facts = &common->facts;
	cpuid_model_init(&shared->cpuid, common_cpuid,
			 &(struct cpuid_options){
				 .tsc_hz = tsc_hz,
				 .arch_capabilities = host_policy.guest_arch_capabilities,
				 .has_rdtscp = vcpu_has_control2(PROC2_RDTSCP),
				 .has_invpcid = vcpu_has_control2(PROC2_INVPCID),
				 .switches_speculation = shared->switches_speculation,
			 });
	shared->microcode = (uint64_t)facts->microcode << 32;
	return OK;
}
