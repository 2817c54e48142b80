/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings this processor into its known state. */
#include "hv/host/cpu.h"
#include "hv/host/known_state.h"
#include "hv/host/msr.h"
#include "hv/lib/print.h"

/* An emulator may lack an MSR that its CPUID promises: what is not there needs no change. */
static void change(const struct msr_setting *setting)
{
	uint64_t old, value;

	if (!rdmsr_safe(setting->msr, &old))
		return;
	value = (old & ~setting->clear) | setting->set;
	if (value != old && !wrmsr_safe(setting->msr, value))
		log_warning("processor %u: MSR 0x%x cannot be changed from 0x%lx to 0x%lx",
			    (unsigned)this_cpu()->index, (unsigned)setting->msr, old, value);
}

void known_state_set(const struct cpu_facts *facts, const struct policy *policy)
{
	struct msr_setting list[KNOWN_STATE_MAX];
	unsigned n = known_state_list(facts, policy, list);

	for (unsigned i = 0; i < n; i++)
		change(&list[i]);
}
