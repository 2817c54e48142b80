/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* One bank of machine-check registers. SDM vol. 3, "Error-Reporting Register Banks". */
struct mce_bank {
	uint32_t cpu, bank;
	uint64_t mcg_status; /* of the processor, at the same time */
	uint64_t status, address, misc;
};

#define MCE_STATUS_VALID	 BIT(63)
#define MCE_STATUS_OVERFLOW	 BIT(62)
#define MCE_STATUS_UNCORRECTED	 BIT(61)
#define MCE_STATUS_ENABLED	 BIT(60)
#define MCE_STATUS_MISC_VALID	 BIT(59)
#define MCE_STATUS_ADDRESS_VALID BIT(58)
#define MCE_STATUS_CORRUPT	 BIT(57)

/* Room for a bank's line. */
enum { MCE_TEXT_MAX = 320 };

/* The bank in one line, without an address or information that is not valid. */
void mce_describe(const struct mce_bank *bank, char text[MCE_TEXT_MAX]);
