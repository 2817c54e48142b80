/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hypervisors say about the TSC. KVM with Hyper-V's interface has its own at another base.
 * Sources: Linux, Documentation/virt/kvm/x86/cpuid.rst and msr.rst; Hypervisor Top Level Functional
 * Specification, "Partition Reference Counter"; VMware, "Mechanisms to determine if software is
 * running in a VMware virtual machine".
 */
#include "hv/host/tsc_hypervisor.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc_leaf.h"
#include "hv/lib/string.h"

#define BASE_FIRST UINT32_C(0x40000000)
#define BASE_LAST  UINT32_C(0x4000ff00)
#define BASE_STEP  UINT32_C(0x100)

enum {
	LEAF_FEATURES = 1, /* from the base */
	LEAF_HYPERV_FEATURES = 3,
	LEAF_TIMING = 0x10,
	KVM_HAS_CLOCK = 1 << 3,
	HYPERV_MAY_READ_FREQUENCIES = 1 << 11,
	HYPERV_HAS_FREQUENCIES = 1 << 8, /* edx */
};

#define MSR_HYPERV_TSC_FREQUENCY UINT32_C(0x40000022)
#define KVM_CLOCK_ENABLE	 BIT(0)

/* The record that KVM fills in, four-byte-aligned and on one page. */
struct kvm_clock {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags, rest[2];
};
_Static_assert(sizeof(struct kvm_clock) == 32, "Linux, msr.rst");

static volatile struct kvm_clock kvm_clock __attribute__((aligned(32)));

/* KVM fills the record in before the next instruction, and forgets it again. */
static uint64_t hz_of_kvm(uint32_t base)
{
	struct cpuid_regs features;
	phys_t record = virt_to_phys((const void *)&kvm_clock);

	cpuid(base + LEAF_FEATURES, 0, &features);
	if (!(features.eax & KVM_HAS_CLOCK) ||
	    !wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, record | KVM_CLOCK_ENABLE))
		return 0;
	(void)wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, 0);
	return tsc_hz_of_kvm_clock(kvm_clock.multiplier, kvm_clock.shift);
}

static uint64_t hz_of_hyperv(uint32_t base)
{
	struct cpuid_regs features;
	uint64_t hz;

	cpuid(base + LEAF_HYPERV_FEATURES, 0, &features);
	if (!(features.eax & HYPERV_MAY_READ_FREQUENCIES) ||
	    !(features.edx & HYPERV_HAS_FREQUENCIES))
		return 0;
	return rdmsr_safe(MSR_HYPERV_TSC_FREQUENCY, &hz) ? hz : 0;
}

/* In kHz, in the form of VMware that others have taken over. */
static uint64_t hz_of_timing(uint32_t base, uint32_t last)
{
	struct cpuid_regs timing;

	if (last < base + LEAF_TIMING || last > base + 0xff)
		return 0;
	cpuid(base + LEAF_TIMING, 0, &timing);
	return timing.eax * UINT64_C(1000);
}

static bool is_named(const struct cpuid_regs *regs, const char name[12])
{
	uint32_t words[] = {regs->ebx, regs->ecx, regs->edx};

	return memcmp(words, name, sizeof(words)) == 0;
}

static uint64_t hz_at(uint32_t base)
{
	struct cpuid_regs regs;
	uint64_t hz;

	cpuid(base, 0, &regs);
	if (is_named(&regs, "Microsoft Hv"))
		return hz_of_hyperv(base);
	hz = hz_of_timing(base, regs.eax);
	if (hz == 0 && is_named(&regs, "KVMKVMKVM\0\0"))
		hz = hz_of_kvm(base);
	return hz;
}

uint64_t tsc_hz_of_hypervisor(void)
{
	enum { HYPERVISOR_PRESENT = 1u << 31 /* leaf 1, ecx */ };
	struct cpuid_regs features;
	uint64_t hz = 0;

	cpuid(1, 0, &features);
	if (!(features.ecx & HYPERVISOR_PRESENT))
		return 0;
	for (uint32_t base = BASE_FIRST; hz == 0 && base <= BASE_LAST; base += BASE_STEP)
		hz = hz_at(base);
	return hz;
}
