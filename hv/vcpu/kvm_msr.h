/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The MSRs by which a guest tells where it wants its clock and its stolen time, and where it can be
 * told that it need not write its next EOI, as under KVM. Linux,
 * Documentation/virt/kvm/x86/msr.rst. Here are the values only: what is done with the memory is in
 * hv/run/kvm_para.h and hv/run/pv_eoi.h.
 */
struct kvm_msrs {
	uint64_t system_time; /* MSR_KVM_SYSTEM_TIME_NEW, and KVM_CLOCK_IS_BEHIND */
	uint64_t steal_time;  /* MSR_KVM_STEAL_TIME, and KVM_IS_PREEMPTED */
	uint64_t eoi;	      /* MSR_KVM_PV_EOI_EN */
};

#define KVM_MSR_ENABLED BIT(0)
/* Not the guest's: the clock in its memory has to be written before it runs. */
#define KVM_CLOCK_IS_BEHIND BIT(1)
/* The same: the record says that the processor does not run, which has to be taken back. */
#define KVM_IS_PREEMPTED BIT(1)

/* Let the clock, if there is one, be written again before the guest runs. */
static inline void kvm_msrs_renew_clock(struct kvm_msrs *msrs)
{
	if (msrs->system_time & KVM_MSR_ENABLED)
		msrs->system_time |= KVM_CLOCK_IS_BEHIND;
}

/* The same for a clone, if its template froze two seconds ago or earlier. */
static inline void kvm_msrs_note_gap(struct kvm_msrs *msrs, uint64_t ticks, uint64_t tsc_hz)
{
	if (ticks > 2 * tsc_hz)
		kvm_msrs_renew_clock(msrs);
}

/* Whether they may have something to do before an entry. */
static inline bool kvm_msrs_are_busy(const struct kvm_msrs *msrs)
{
	return msrs->system_time & KVM_CLOCK_IS_BEHIND || msrs->steal_time ||
	       msrs->eoi & KVM_MSR_ENABLED;
}

/* The features of leaf 0x40000101, EAX, that these MSRs belong to. */
#define KVM_FEATURE_CLOCKSOURCE2	   BIT(3)
#define KVM_FEATURE_STEAL_TIME		   BIT(5)
#define KVM_FEATURE_PV_EOI		   BIT(6)
#define KVM_FEATURE_CLOCKSOURCE_STABLE_BIT BIT(24)

/* What a value that may be written asks for. */
struct kvm_area {
	uint64_t gpa;
	uint32_t len; /* bytes; 0: nothing */
};

/*
 * Whether a guest with these features may write 'value', as far as the value itself tells: its
 * alignment and reserved bits. The guest's memory is the caller's to check. False: not one of these
 * MSRs, or not announced, too.
 */
bool kvm_msr_check(uint32_t features, uint32_t msr, uint64_t value, struct kvm_area *ret);
/* The area of an MSR that was checked when it was written. */
struct kvm_area kvm_msr_area(uint32_t msr, uint64_t value);
/* False: not one of these MSRs, or not announced. The clock of the day reads as 0. */
bool kvm_msr_read(const struct kvm_msrs *msrs, uint32_t features, uint32_t msr, uint64_t *ret);
/* Whether a guest with these features could have written these values. */
bool kvm_msrs_are_valid(const struct kvm_msrs *msrs, uint32_t features);
