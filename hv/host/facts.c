/* SPDX-License-Identifier: BSD-2-Clause */
/* The common facts of several processors. Pure; hv/host/facts_read.c asks a processor. */
#include "hv/host/facts.h"

#include "hv/host/speculation.h"

static const struct {
	uint32_t leaf, subleaf;
	size_t reg; /* offset in struct cpuid_regs */
} words[N_FACT_WORDS] = {
	[FACT_1_ECX] = {1, 0, offsetof(struct cpuid_regs, ecx)},
	[FACT_1_EDX] = {1, 0, offsetof(struct cpuid_regs, edx)},
	[FACT_7_EBX] = {7, 0, offsetof(struct cpuid_regs, ebx)},
	[FACT_7_ECX] = {7, 0, offsetof(struct cpuid_regs, ecx)},
	[FACT_7_EDX] = {7, 0, offsetof(struct cpuid_regs, edx)},
	[FACT_7_1_EAX] = {7, 1, offsetof(struct cpuid_regs, eax)},
	[FACT_7_1_EDX] = {7, 1, offsetof(struct cpuid_regs, edx)},
	[FACT_7_2_EDX] = {7, 2, offsetof(struct cpuid_regs, edx)},
	[FACT_D_EAX] = {0xd, 0, offsetof(struct cpuid_regs, eax)},
	[FACT_D_1_EAX] = {0xd, 1, offsetof(struct cpuid_regs, eax)},
	[FACT_EXT1_ECX] = {0x80000001, 0, offsetof(struct cpuid_regs, ecx)},
	[FACT_EXT1_EDX] = {0x80000001, 0, offsetof(struct cpuid_regs, edx)},
};

static uint32_t *register_of(struct cpuid_regs *regs, enum fact_word word)
{
	return (uint32_t *)((char *)regs + words[word].reg);
}

static struct cpuid_regs ask(cpuid_source *source, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs regs;

	source(leaf, subleaf, &regs);
	return regs;
}

/* Zeros if the processor does not have the leaf. SDM vol. 2, "CPUID—CPU Identification". */
static struct cpuid_regs ask_or_zero(cpuid_source *source, uint32_t leaf, uint32_t subleaf)
{
	uint32_t last = ask(source, leaf & UINT32_C(0x80000000), 0).eax;

	if (leaf > last || (leaf == 7 && subleaf > ask(source, 7, 0).eax))
		return (struct cpuid_regs){0};
	return ask(source, leaf, subleaf);
}

static bool is_intel(struct cpuid_regs vendor)
{
	return vendor.ebx == 0x756e6547 && vendor.edx == 0x49656e69 && vendor.ecx == 0x6c65746e;
}

/* Leaf 0xb, subleaf 0, if it is about the threads of a core. */
static uint32_t thread_bits(struct cpuid_regs level)
{
	enum { TYPE_SMT = 1 };

	return (level.ecx >> 8 & 0xff) == TYPE_SMT ? level.eax & 0x1f : 0;
}

void facts_take(struct cpu_facts *facts, cpuid_source *source)
{
	facts->is_intel = is_intel(ask(source, 0, 0));
	facts->signature = ask(source, 1, 0).eax;
	facts->thread_bits = thread_bits(ask_or_zero(source, 0xb, 0));
	facts->perf_version = ask_or_zero(source, 0xa, 0).eax & 0xff;
	for (unsigned i = 0; i < N_FACT_WORDS; i++) {
		struct cpuid_regs regs = ask_or_zero(source, words[i].leaf, words[i].subleaf);

		facts->word[i] = *register_of(&regs, (enum fact_word)i);
	}
}

void facts_intersect(struct cpu_facts *common, const struct cpu_facts *other)
{
	uint64_t a = common->arch_capabilities, b = other->arch_capabilities;

	for (unsigned i = 0; i < N_FACT_WORDS; i++)
		common->word[i] &= other->word[i];
	common->arch_capabilities =
		(a & b & ~ARCH_CAPABILITIES_WEAK) | ((a | b) & ARCH_CAPABILITIES_WEAK);
}

void facts_limit(const struct cpu_facts *common, uint32_t leaf, uint32_t subleaf,
		 struct cpuid_regs *regs)
{
	for (unsigned i = 0; i < N_FACT_WORDS; i++)
		if (words[i].leaf == leaf && words[i].subleaf == subleaf)
			*register_of(regs, (enum fact_word)i) &= common->word[i];
}
