/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* One bank of machine-check registers. SDM vol. 3, "Error-Reporting Register Banks". */
struct mce_bank {
	uint32_t cpu, bank;
	uint64_t mcg_status; /* of the processor, at the same time */
	uint64_t status, address, misc;
	uint32_t count; /* of corrected errors; 0: not counted */
};

#define MCE_STATUS_VALID	 BIT(63)
#define MCE_STATUS_OVERFLOW	 BIT(62)
#define MCE_STATUS_UNCORRECTED	 BIT(61)
#define MCE_STATUS_ENABLED	 BIT(60)
#define MCE_STATUS_MISC_VALID	 BIT(59)
#define MCE_STATUS_ADDRESS_VALID BIT(58)
#define MCE_STATUS_CORRUPT	 BIT(57)
#define MCE_STATUS_SIGNALED	 BIT(56) /* by an exception; with MCG_CAP_RECOVERY only */

/* IA32_MCG_CAP. */
#define MCG_CAP_CTL	 BIT(8)	 /* IA32_MCG_CTL exists */
#define MCG_CAP_COUNTS	 BIT(10) /* banks count corrected errors */
#define MCG_CAP_RECOVERY BIT(24) /* software can recover from some uncorrected errors */
#define MCG_CAP_LMCE	 BIT(27)

/* Room for a bank's line. */
enum { MCE_TEXT_MAX = 320 };

/* The bank in one line, without an address or information that is not valid. */
void mce_describe(const struct mce_bank *bank, char text[MCE_TEXT_MAX]);
