/* SPDX-License-Identifier: BSD-2-Clause */
/* Which MSRs are set at start, and to what. Pure. An MSR is named only if CPUID says it exists. */
#include "hv/host/known_state.h"

#include "hv/host/msr.h"
#include "hv/host/speculation.h"
#include "hv/lib/assert.h"

#define ALL UINT64_MAX

/* SDM vol. 4, "IA32_TEST_CTRL": #AC for split locks, #GP for locks of uncached memory. */
#define TEST_CTRL_LOCKS (BIT(29) | BIT(28))

/* SDM vol. 2, "CPUID—CPU Identification". */
static const struct {
	enum fact_word word;
	uint64_t bits; /* any of them: the MSR exists */
	uint32_t msr;
	uint64_t clear;
} cleared[] = {
	{FACT_D_1_EAX, BIT(3), IA32_XSS, ALL},			/* XSAVES */
	{FACT_D_1_EAX, BIT(4), IA32_XFD, ALL},			/* XFD */
	{FACT_1_EDX, BIT(21), IA32_DEBUGCTL, ALL},		/* DS */
	{FACT_1_EDX, BIT(21), IA32_PEBS_ENABLE, ALL},		/* DS */
	{FACT_7_EBX, BIT(25), IA32_RTIT_CTL, ALL},		/* PT */
	{FACT_7_EDX, BIT(19), IA32_LBR_CTL, ALL},		/* architectural LBR */
	{FACT_7_ECX, BIT(7), IA32_S_CET, ALL},			/* CET_SS */
	{FACT_7_EDX, BIT(20), IA32_S_CET, ALL},			/* CET_IBT */
	{FACT_7_ECX, BIT(31), IA32_PKRS, ALL},			/* PKS */
	{FACT_7_EDX, BIT(30), IA32_TEST_CTRL, TEST_CTRL_LOCKS}, /* CORE_CAPABILITIES */
};

static void add(struct msr_setting ret[KNOWN_STATE_MAX], unsigned *n, struct msr_setting setting)
{
	assert(*n < KNOWN_STATE_MAX);
	ret[(*n)++] = setting;
}

/* A bit that is set turns one of the microcode's defences off. */
static uint64_t microcode_options(const struct policy *policy)
{
	return (policy->measures & MEASURE_RNG_MITIGATED ? MCU_OPT_RNGDS_MITG_DIS : 0) |
	       (policy->measures & MEASURE_GATHER_MITIGATED ? MCU_OPT_GDS_MITG_DIS : 0);
}

unsigned known_state_list(const struct cpu_facts *facts, const struct policy *policy,
			  struct msr_setting ret[KNOWN_STATE_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cleared); i++)
		if (facts->word[cleared[i].word] & cleared[i].bits)
			add(ret, &n, (struct msr_setting){cleared[i].msr, cleared[i].clear, 0});
	if (facts->perf_version >= 2)
		add(ret, &n, (struct msr_setting){IA32_PERF_GLOBAL_CTRL, ALL, 0});
	if (facts->word[FACT_7_EDX] & CPUID_7_EDX_SPEC_CTRL)
		add(ret, &n, (struct msr_setting){IA32_SPEC_CTRL, ALL, policy->spec_ctrl});
	if (policy->measures & MEASURE_TSX_OFF)
		add(ret, &n,
		    (struct msr_setting){IA32_TSX_CTRL, 0,
					 TSX_CTRL_RTM_DISABLE | TSX_CTRL_CPUID_CLEAR});
	if (microcode_options(policy))
		add(ret, &n, (struct msr_setting){IA32_MCU_OPT_CTRL, microcode_options(policy), 0});
	return n;
}
