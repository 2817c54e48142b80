/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processors are used, and what they have in common. Pure. Processors of one machine differ
 * in microcode, in what the firmware has locked, and in their kind (P and E cores).
 */
#include "hv/vmx/processors.h"

/* Of IA32_VMX_MISC: how many TSC ticks the VMX-preemption timer takes. */
#define MISC_TIMER_SHIFT UINT64_C(0x1f)

static void intersect_vmx(struct vmx_capability *common, const struct vmx_capability *other)
{
	for (unsigned i = 0; i < N_CONTROL_WORDS; i++) {
		uint64_t must = (common->control[i] | other->control[i]) & UINT32_MAX;
		uint64_t may = common->control[i] & other->control[i] & ~(uint64_t)UINT32_MAX;

		common->control[i] = may | must;
	}
	common->ept_vpid &= other->ept_vpid;
}

/* A bit that one processor demands and another one does not have. */
static bool controls_clash(const struct vmx_capability *cap)
{
	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		if ((cap->control[i] & UINT32_MAX) & ~(cap->control[i] >> 32))
			return true;
	return false;
}

static uint32_t core_of(const struct cpu_facts *facts)
{
	return facts->apic_id >> facts->thread_bits;
}

static bool core_is_used(const struct processor_report *report, unsigned n,
			 const struct cpu_facts *facts)
{
	for (unsigned i = 0; i < n; i++)
		if (report[i].left_out == NULL && core_of(&report[i].facts) == core_of(facts))
			return true;
	return false;
}

/* Why 'report' cannot join those in 'common'; 'common' is reduced if it can. */
static const char *join(struct processor_report *common, const struct processor_report *report)
{
	struct vmx_capability vmx = common->vmx;

	if (vmx_missing(&report->vmx) != NULL)
		return vmx_missing(&report->vmx);
	if ((vmx.misc ^ report->vmx.misc) & MISC_TIMER_SHIFT)
		return "its VMX-preemption timer counts at another rate";
	intersect_vmx(&vmx, &report->vmx);
	if (controls_clash(&vmx))
		return "it demands VMX controls that the boot processor lacks";
	if (vmx_missing(&vmx) != NULL)
		return vmx_missing(&vmx);
	common->vmx = vmx;
	facts_intersect(&common->facts, &report->facts);
	return NULL;
}

void processors_choose(struct processor_report *report, unsigned n, bool use_threads,
		       struct processor_report *ret)
{
	*ret = report[0];
	for (unsigned i = 1; i < n; i++) {
		if (!use_threads && core_is_used(report, i, &report[i].facts))
			report[i].left_out = "host -smt off uses one thread of each core";
		else
			report[i].left_out = join(ret, &report[i]);
	}
}

void processors_policy(const struct processor_report *report, unsigned n,
		       struct processor_report *common, enum mitigations mode, struct policy *ret)
{
	uint32_t weaknesses = 0;
	bool shares_cores = false;

	for (unsigned i = 0; i < n; i++) {
		weaknesses |= policy_weaknesses(&report[i].facts);
		shares_cores |= core_is_used(report, i, &report[i].facts);
	}
	policy_decide(weaknesses, &common->facts, mode, shares_cores, ret);
	if (weaknesses & WEAK_TIMER)
		vmx_hide(&common->vmx, CONTROLS_PIN, PIN_PREEMPTION_TIMER);
}
