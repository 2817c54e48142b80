/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* What a bank of machine-check registers holds, for the poll. */
enum mce_finding {
	MCE_EMPTY,
	MCE_REPORT, /* an error that was corrected, or that stops nothing: report and clear it */
	MCE_LEAVE,  /* the exception reports it, at once or at the access to the broken memory */
};

/* 'mcg_cap': the processor's IA32_MCG_CAP. SDM vol. 3, "Error-Reporting Register Banks". */
enum mce_finding mce_judge(uint64_t status, uint64_t mcg_cap);

/* How many corrected errors the bank has counted; 0 if the processor does not count them. */
unsigned mce_count(uint64_t status, uint64_t mcg_cap);

/* Limits the lines about corrected errors of all processors. Zero initialized. */
struct mce_rate {
	uint64_t window_end; /* TSC */
	unsigned n_shown;    /* in this window */
	unsigned n_hidden;   /* since the last shown line */
};

enum { MCE_LINES_MAX = 10 };

/*
 * Whether the next line is shown: at most MCE_LINES_MAX in 'window' TSC ticks. Then *ret_hidden
 * lines before it were not.
 */
bool mce_rate_allows(struct mce_rate *rate, uint64_t now, uint64_t window, unsigned *ret_hidden);
