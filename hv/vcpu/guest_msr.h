/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Model-specific registers of a guest. Every access exits unless it is on the
 * list of msr_bitmap_init(); what is neither on that list nor known to a model is
 * #GP. Nothing of the processor's own MSRs shows through.
 */

/* The ones that are only memory: read back as written, within what hardware would take. */
struct guest_msrs {
	uint64_t mtrr_def_type;
	uint64_t mtrr_fixed[11];
	uint64_t mtrr_variable[16]; /* base and mask of eight ranges */
	uint64_t misc_enable;
	uint64_t microcode; /* what IA32_BIOS_SIGN_ID reads as */
};

void guest_msrs_reset(struct guest_msrs *msrs, uint64_t microcode);

/* False: not one of these, or a value hardware would refuse. */
bool guest_msr_read(const struct guest_msrs *msrs, uint32_t msr, uint64_t *ret);
bool guest_msr_write(struct guest_msrs *msrs, uint32_t msr, uint64_t value);
/* Whether a guest could have brought them to this. */
bool guest_msrs_are_valid(const struct guest_msrs *msrs);

/*
 * Fill a 4 KiB MSR bitmap: everything exits but what the VMCS switches by itself or
 * vcpu_load() does, and reading the TSC. SDM vol. 3, "MSR-Bitmap Address".
 */
void msr_bitmap_init(uint8_t bitmap[4096], bool has_rdtscp);

/* For tests: whether an access exits. */
bool msr_bitmap_exits(const uint8_t bitmap[4096], uint32_t msr, bool write);
