/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/lib/types.h"

/*
 * What a processor says about itself: who made it, which model it is, and the features that guests
 * or Stencil's own measures may use. Each processor reads its own; what all have in common is used.
 */

/* The words of CPUID that consist of features. */
enum fact_word {
	FACT_1_ECX,
	FACT_1_EDX,
	FACT_7_EBX,
	FACT_7_ECX,
	FACT_7_EDX,
	FACT_7_1_EAX,
	FACT_7_1_EDX,
	FACT_7_2_EDX,
	FACT_D_EAX, /* XCR0's bits */
	FACT_D_1_EAX,
	FACT_EXT1_ECX,
	FACT_EXT1_EDX,
	N_FACT_WORDS
};

struct cpu_facts {
	bool is_intel;
	uint32_t signature; /* CPUID leaf 1, EAX: family, model, stepping */
	uint32_t microcode; /* revision; 0: none loaded, or hidden by a hypervisor below */
	uint32_t apic_id;
	uint32_t thread_bits;  /* low bits of the APIC ID, which tell the threads of a core apart */
	uint32_t perf_version; /* of architectural performance monitoring; 0: none */
	uint32_t word[N_FACT_WORDS];
	uint64_t arch_capabilities; /* IA32_ARCH_CAPABILITIES; 0: absent */
};

/* What CPUID tells; 'arch_capabilities', 'microcode' and 'apic_id' stay as they are. */
void facts_take(struct cpu_facts *facts, cpuid_source *source);

/* The revision of the microcode in the processor that the caller runs on; 0: unknown. */
uint32_t facts_read_microcode(void);

/* Read all of the processor that the caller runs on. Needs idt_init(). */
void facts_read(struct cpu_facts *ret);

/*
 * Reduce 'common' to what it shares with 'other': features that both have, and weaknesses that
 * either has. Model and microcode stay those of 'common'.
 */
void facts_intersect(struct cpu_facts *common, const struct cpu_facts *other);

/* Remove from an answer of CPUID the features that not all processors have. */
void facts_limit(const struct cpu_facts *common, uint32_t leaf, uint32_t subleaf,
		 struct cpuid_regs *regs);
