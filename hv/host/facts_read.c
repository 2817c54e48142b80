/* SPDX-License-Identifier: BSD-2-Clause */
/* The facts of the processor that the caller runs on. */
#include "hv/host/cpu.h"
#include "hv/host/facts.h"
#include "hv/host/msr.h"
#include "hv/host/speculation.h"

/* SDM vol. 3, "Update Signature and Verification": CPUID puts the revision into the high half. */
uint32_t facts_read_microcode(void)
{
	struct cpuid_regs regs;
	uint64_t value = 0;

	if (!wrmsr_safe(IA32_BIOS_SIGN_ID, 0))
		return 0;
	cpuid(1, 0, &regs);
	(void)rdmsr_safe(IA32_BIOS_SIGN_ID, &value);
	return (uint32_t)(value >> 32);
}

void facts_read(struct cpu_facts *ret)
{
	*ret = (struct cpu_facts){.apic_id = this_cpu()->apic_id};
	facts_take(ret, cpuid);
	ret->microcode = facts_read_microcode();
	if (ret->word[FACT_7_EDX] & CPUID_7_EDX_ARCH_CAPABILITIES)
		(void)rdmsr_safe(IA32_ARCH_CAPABILITIES, &ret->arch_capabilities);
}
