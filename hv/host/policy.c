/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decisions. A weakness follows from the model's table unless IA32_ARCH_CAPABILITIES denies it:
 * a model that is in no table has what its generation of feature bits admits. A measure follows
 * from the weakness, if the microcode offers what it takes.
 */
#include "hv/host/policy.h"

#include "hv/host/model.h"
#include "hv/host/speculation.h"

static bool has_7_edx(const struct cpu_facts *facts, uint64_t bit)
{
	return facts->word[FACT_7_EDX] & bit;
}

static bool has_arch(const struct cpu_facts *facts, uint64_t bit)
{
	return facts->arch_capabilities & bit;
}

static bool leaks_by_mmio(const struct cpu_facts *facts, uint32_t traits)
{
	const uint64_t immune = ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;

	return (traits & MODEL_MMIO) && (facts->arch_capabilities & immune) != immune;
}

static bool leaks_by_taa(const struct cpu_facts *facts)
{
	return (facts->word[FACT_7_EBX] & CPUID_7_EBX_RTM) && !has_arch(facts, ARCH_CAP_TAA_NO);
}

/* Buffers and caches that a guest can read. */
static uint32_t leaks(const struct cpu_facts *facts, uint32_t traits)
{
	bool l1tf = !(traits & MODEL_NO_L1TF) && !has_arch(facts, ARCH_CAP_RDCL_NO);
	bool mds = !(traits & MODEL_NO_MDS) && !has_arch(facts, ARCH_CAP_MDS_NO);
	bool taa = leaks_by_taa(facts);
	uint32_t weak = 0;

	if (!(traits & MODEL_NO_MULTIHIT) && !has_arch(facts, ARCH_CAP_PSCHANGE_MC_NO))
		weak |= WEAK_MULTIHIT;
	if (l1tf)
		weak |= WEAK_L1TF;
	if (mds)
		weak |= WEAK_MDS;
	if (taa)
		weak |= WEAK_TAA;
	if (leaks_by_mmio(facts, traits))
		weak |= WEAK_MMIO;
	if ((traits & MODEL_RFDS) && !has_arch(facts, ARCH_CAP_RFDS_NO))
		weak |= WEAK_RFDS;
	if (l1tf || taa || (mds && !(traits & MODEL_NO_SIBLING_LEAK)))
		weak |= WEAK_SIBLING_LEAK;
	if (traits & MODEL_SRBDS)
		weak |= WEAK_SRBDS;
	if ((traits & MODEL_GDS) && !has_arch(facts, ARCH_CAP_GDS_NO))
		weak |= WEAK_GDS;
	return weak;
}

/* Predictions that a guest can make. */
static uint32_t mispredictions(const struct cpu_facts *facts, uint32_t traits)
{
	bool eibrs = has_arch(facts, ARCH_CAP_IBRS_ALL);
	uint32_t weak = WEAK_INDIRECT;

	if (!eibrs && (traits & MODEL_RETBLEED || has_arch(facts, ARCH_CAP_RSBA)))
		weak |= WEAK_RETURN;
	if (!has_arch(facts, ARCH_CAP_BHI_NO))
		weak |= WEAK_BHI;
	if (eibrs && !(traits & MODEL_NO_PBRSB) && !has_arch(facts, ARCH_CAP_PBRSB_NO))
		weak |= WEAK_PBRSB;
	if (traits & MODEL_ITS)
		weak |= WEAK_ITS;
	return weak;
}

uint32_t policy_weaknesses(const struct cpu_facts *facts)
{
	uint32_t traits = model_traits(facts->signature);
	bool works = model_timer_works(facts->signature);

	if (!facts->is_intel) /* VMX of another vendor: nothing is known */
		traits = 0;
	return leaks(facts, traits) | mispredictions(facts, traits) | (works ? 0 : WEAK_TIMER);
}

/* Whether VERW clears the buffers that the weaknesses leak. SDM vol. 4, "ARCH_CAPABILITIES". */
static bool verw_clears(uint32_t weaknesses, const struct cpu_facts *facts)
{
	bool md_clear = has_7_edx(facts, CPUID_7_EDX_MD_CLEAR);
	/* Microcode of before the bit clears fill buffers as well, where MDS exists. */
	bool fb_clear = has_arch(facts, ARCH_CAP_FB_CLEAR) ||
			(md_clear && has_7_edx(facts, CPUID_7_EDX_L1D_FLUSH) &&
			 !has_arch(facts, ARCH_CAP_MDS_NO));

	if ((weaknesses & (WEAK_MDS | WEAK_TAA)) && !md_clear)
		return false;
	if ((weaknesses & WEAK_MMIO) && !fb_clear)
		return false;
	return !(weaknesses & WEAK_RFDS) || has_arch(facts, ARCH_CAP_RFDS_CLEAR);
}

/* enum measure that the processors can execute to an effect. */
static uint32_t offers(uint32_t weaknesses, const struct cpu_facts *facts)
{
	uint32_t offered = MEASURE_NX_LARGE_PAGES | MEASURE_BHB_CLEAR | MEASURE_RETPOLINE |
			   MEASURE_RSB_FILL | MEASURE_RSB_ENTRY;

	if (has_7_edx(facts, CPUID_7_EDX_L1D_FLUSH))
		offered |= MEASURE_L1D_FLUSH;
	if (verw_clears(weaknesses, facts))
		offered |= MEASURE_VERW;
	if (has_7_edx(facts, CPUID_7_EDX_SPEC_CTRL))
		offered |= MEASURE_IBPB | MEASURE_IBRS;
	if (has_7_edx(facts, CPUID_7_EDX_SPEC_CTRL) && has_arch(facts, ARCH_CAP_IBRS_ALL))
		offered |= MEASURE_EIBRS;
	if (facts->word[FACT_7_2_EDX] & CPUID_7_2_EDX_BHI_CTRL)
		offered |= MEASURE_BHI_DIS_S;
	if (has_7_edx(facts, CPUID_7_EDX_SRBDS_CTRL))
		offered |= MEASURE_RNG_MITIGATED;
	if (has_arch(facts, ARCH_CAP_GDS_CTRL))
		offered |= MEASURE_GATHER_MITIGATED;
	if (has_arch(facts, ARCH_CAP_TSX_CTRL))
		offered |= MEASURE_TSX_OFF;
	return offered;
}

/* What keeps a guest's predictions from the host's branches. */
static uint32_t against_training(uint32_t weaknesses, uint32_t offered)
{
	uint32_t measures = MEASURE_IBPB;

	if (offered & MEASURE_EIBRS)
		measures |= MEASURE_EIBRS;
	else if (weaknesses & WEAK_RETURN) /* a retpoline's return would be predicted as well */
		measures |= MEASURE_IBRS | MEASURE_RSB_FILL;
	else
		measures |= MEASURE_RETPOLINE | MEASURE_RSB_FILL;
	if ((weaknesses & WEAK_BHI) && !(measures & MEASURE_RETPOLINE))
		measures |= offered & MEASURE_BHI_DIS_S ? MEASURE_BHI_DIS_S : MEASURE_BHB_CLEAR;
	if ((weaknesses & WEAK_RETURN) && !(offered & MEASURE_IBRS))
		measures |= MEASURE_RETPOLINE; /* better than nothing */
	/* The thunks lie in the safe halves of their lines. Returns need a full stack. */
	if (weaknesses & WEAK_ITS)
		measures |= MEASURE_RSB_FILL;
	else if (weaknesses & WEAK_PBRSB && measures & MEASURE_EIBRS)
		measures |= MEASURE_RSB_ENTRY;
	return measures;
}

static uint32_t needs(uint32_t weaknesses, const struct cpu_facts *facts, uint32_t offered)
{
	uint32_t measures = 0;

	if (weaknesses & WEAK_MULTIHIT)
		measures |= MEASURE_NX_LARGE_PAGES;
	/* A hypervisor below that flushes says so. */
	if ((weaknesses & WEAK_L1TF) && !has_arch(facts, ARCH_CAP_SKIP_L1DFL_VMENTRY))
		measures |= MEASURE_L1D_FLUSH;
	if (weaknesses & (WEAK_MDS | WEAK_TAA | WEAK_MMIO | WEAK_RFDS))
		measures |= MEASURE_VERW;
	if (weaknesses & WEAK_SRBDS)
		measures |= MEASURE_RNG_MITIGATED;
	if (weaknesses & WEAK_GDS)
		measures |= MEASURE_GATHER_MITIGATED;
	if (weaknesses & WEAK_INDIRECT)
		measures |= against_training(weaknesses, offered);
	/* No guest is shown TSX. Where it is not needed, it is only a means of attack. */
	return measures | (offered & MEASURE_TSX_OFF);
}

static uint64_t spec_ctrl(uint32_t measures)
{
	return (measures & MEASURE_EIBRS ? SPEC_CTRL_IBRS : 0) |
	       (measures & MEASURE_BHI_DIS_S ? SPEC_CTRL_BHI_DIS_S : 0);
}

/* What is true for a guest: the processor's bits, and what is done for it. */
static uint64_t guest_arch_capabilities(const struct cpu_facts *facts, uint32_t measures)
{
	const uint64_t shown = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA |
			       ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO |
			       ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | ARCH_CAP_SBDR_SSDP_NO |
			       ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_FB_CLEAR |
			       ARCH_CAP_RRSBA | ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO |
			       ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR;
	uint64_t value = facts->arch_capabilities & shown;

	if (measures & MEASURE_NX_LARGE_PAGES)
		value |= ARCH_CAP_PSCHANGE_MC_NO;
	if (measures & MEASURE_L1D_FLUSH)
		value |= ARCH_CAP_SKIP_L1DFL_VMENTRY;
	if (measures & MEASURE_TSX_OFF)
		value |= ARCH_CAP_TAA_NO;
	return value;
}

void policy_decide(uint32_t weaknesses, const struct cpu_facts *common, enum mitigations mode,
		   bool shares_cores, struct policy *ret)
{
	uint32_t offered = offers(weaknesses, common);
	uint32_t needed = needs(weaknesses, common, offered);

	*ret = (struct policy){
		.mode = mode,
		.weaknesses = weaknesses,
		.microcode = common->microcode,
		.shares_cores = shares_cores,
	};
	if (mode != MITIGATIONS_OFF)
		ret->needs_microcode = needed & ~offered;
	if (mode == MITIGATIONS_ALL)
		ret->measures = offered | MEASURE_VERW;
	if (mode == MITIGATIONS_AUTO)
		ret->measures = needed & offered;
	/* One of the two, and the stronger one. */
	if (ret->measures & MEASURE_EIBRS)
		ret->measures &= ~(uint32_t)MEASURE_IBRS;
	if (ret->measures & MEASURE_TSX_OFF)
		ret->weaknesses &= ~(uint32_t)WEAK_TAA;
	if (!(ret->weaknesses & (WEAK_L1TF | WEAK_MDS | WEAK_TAA)))
		ret->weaknesses &= ~(uint32_t)WEAK_SIBLING_LEAK;
	ret->spec_ctrl = spec_ctrl(ret->measures);
	ret->guest_arch_capabilities = guest_arch_capabilities(common, ret->measures);
}
