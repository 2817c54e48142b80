/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/topology.h"
#include "hv/host/io.h"
#include "hv/lib/types.h"

/*
 * What CPUID answers in a guest: a table made once from the processor's own answers and a list of
 * what is allowed. Only what is on the list is passed through. SDM vol. 2, "CPUID—CPU
 * Identification".
 */

#define CPUID_BASIC_LAST	0x1f
#define CPUID_EXTENDED_LAST	0x80000008
#define CPUID_HYPERVISOR	0x40000000 /* "Stencil" */
#define CPUID_HYPERVISOR_TIMING 0x40000010
#define CPUID_KVM		0x40000100 /* KVM's signature; its features are in the next leaf */

/* Features that other files ask about. */
#define CPUID_1_ECX_PCID       BIT(17)
#define CPUID_1_ECX_OSXSAVE    BIT(27)
#define CPUID_7_EBX_TSC_ADJUST BIT(1)

struct cpuid_subleaf {
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
};

struct cpuid_model {
	struct cpuid_regs basic[CPUID_BASIC_LAST + 1]; /* subleaf 0 */
	struct cpuid_regs hypervisor[2];
	struct cpuid_regs kvm[2]; /* zeros: KVM's leaves do not exist */
	struct cpuid_regs extended[9];
	struct cpuid_subleaf sub[80]; /* subleaves except 0 */
	size_t n_sub;
	uint64_t cr4_allowed;  /* bits a guest may set in CR4 */
	uint64_t efer_allowed; /* bits a guest may set in EFER */
	uint64_t xcr0_allowed;
	uint64_t arch_capabilities; /* IA32_ARCH_CAPABILITIES, if leaf 7 shows it */
	uint16_t spec_ctrl_allowed; /* bits of IA32_SPEC_CTRL; 0: the guest does not have it */
	/* KVM's clock read clock_ns at this TSC, without the guest's own changes to the TSC. */
	uint64_t clock_tsc, clock_ns;
};

/* KVM_FEATURE_*, see hv/vcpu/kvm_msr.h. */
static inline uint32_t cpuid_kvm_features(const struct cpuid_model *model)
{
	return model->kvm[1].eax;
}

static inline bool cpuid_has_7_edx(const struct cpuid_model *model, uint64_t feature)
{
	return model->basic[7].edx & feature;
}

/*
 * has_rdtscp and has_invpcid: whether the VMX controls are on that make these instructions usable.
 * switches_speculation: whether vCPUs have their own IA32_SPEC_CTRL. The guest is told tsc_hz
 * exactly.
 */
struct cpuid_options {
	uint64_t tsc_hz;
	uint64_t arch_capabilities; /* the guests' */
	bool has_rdtscp, has_invpcid, switches_speculation;
};
void cpuid_model_init(struct cpuid_model *model, cpuid_source *source,
		      const struct cpuid_options *options);
/* Hide these of KVM's features, and with all of them KVM's leaves. */
void cpuid_model_hide_kvm(struct cpuid_model *model, uint32_t features);
/* Width of a guest's physical addresses; SDM vol. 3, "Physical-Address Width". */
unsigned cpuid_phys_bits(cpuid_source *source);
/* Set cr4_allowed, efer_allowed and spec_ctrl_allowed from the features. */
void cpuid_model_derive(struct cpuid_model *model);

/* State of the asking vCPU that some leaves show. */
struct cpuid_state {
	uint64_t cr4;
	uint64_t xcr0;
	const struct cpu_topology *topology;
	uint32_t apic_id;
	bool apic_enabled; /* in IA32_APIC_BASE */
};

/* Basic leaves whose answer depends on the subleaf or the asking vCPU. */
#define CPUID_VARIABLE_LEAVES (BIT(1) | BIT(4) | BIT(7) | BIT(0xb) | BIT(0xd) | BIT(0x1f))

/* Whether the answer is always model->basic[leaf]: the fast part of cpuid_model_lookup(). */
static inline bool cpuid_is_constant(uint32_t leaf)
{
	return leaf <= CPUID_BASIC_LAST && !(CPUID_VARIABLE_LEAVES >> leaf & 1);
}

/*
 * The answer for a guest. As on Intel's processors, leaves after the last one answer as the last
 * basic leaf.
 */
void cpuid_model_lookup(const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf,
			const struct cpuid_state *state, struct cpuid_regs *ret);

/* Whether the guest may load 'value' into XCR0. SDM vol. 1, "Enabling the XSAVE Feature Set". */
bool cpuid_xcr0_valid(const struct cpuid_model *model, uint64_t value);
