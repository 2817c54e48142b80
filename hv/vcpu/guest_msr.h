/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Model-specific registers of a guest. Every access exits, except to the MSRs that
 * msr_bitmap_init() lists. An MSR that is neither on that list nor emulated raises #GP. No value of
 * the processor's own MSRs is visible.
 */

/* MSRs that are only memory: read back as written, if hardware would take the value. */
struct guest_msrs {
	uint64_t mtrr_def_type;
	uint64_t mtrr_fixed[11];
	uint64_t mtrr_variable[16]; /* base and mask of eight ranges */
	uint64_t misc_enable;
	uint64_t microcode; /* what IA32_BIOS_SIGN_ID reads as */
};

void guest_msrs_reset(struct guest_msrs *msrs, uint64_t microcode);

/* False: not one of these, or a value that hardware would refuse. */
bool guest_msr_read(const struct guest_msrs *msrs, uint32_t msr, uint64_t *ret);
bool guest_msr_write(struct guest_msrs *msrs, uint32_t msr, uint64_t value);
/* Whether a guest could have written these values. */
bool guest_msrs_are_valid(const struct guest_msrs *msrs);

/*
 * Fill a 4 KiB MSR bitmap: everything exits, except what the VMCS or vcpu_load() switches, and
 * reads of the TSC. SDM vol. 3, "MSR-Bitmap Address".
 */
void msr_bitmap_init(uint8_t bitmap[4096], bool has_rdtscp);
/* Let WRMSR of the x2APIC's EOI register through, which the processor then virtualizes. */
void msr_bitmap_free_eoi(uint8_t bitmap[4096]);
/* Let TPR through too, and reads of the registers that lapic_shows(), if 'reads'. */
void msr_bitmap_free_tpr(uint8_t bitmap[4096], bool reads);

/* For tests: whether an access exits. */
bool msr_bitmap_exits(const uint8_t bitmap[4096], uint32_t msr, bool write);
