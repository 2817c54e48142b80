/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides what the poll of machine-check banks does. Pure. */
#include "hv/host/mce_poll.h"

#include "hv/host/mce_text.h"

enum { COUNT_SHIFT = 38, COUNT_MASK = 0x7fff };

enum mce_finding mce_judge(uint64_t status, uint64_t mcg_cap)
{
	bool has_recovery = mcg_cap & MCG_CAP_RECOVERY;

	if (!(status & MCE_STATUS_VALID))
		return MCE_EMPTY;
	if (!(status & MCE_STATUS_UNCORRECTED))
		return MCE_REPORT;
	/* An uncorrected error that no instruction has used yet, and that raises no exception. */
	if (has_recovery && !(status & (MCE_STATUS_CORRUPT | MCE_STATUS_SIGNALED)))
		return MCE_REPORT;
	return MCE_LEAVE;
}

unsigned mce_count(uint64_t status, uint64_t mcg_cap)
{
	if (!(mcg_cap & MCG_CAP_COUNTS) || (status & MCE_STATUS_UNCORRECTED))
		return 0;
	return status >> COUNT_SHIFT & COUNT_MASK;
}

bool mce_rate_allows(struct mce_rate *rate, uint64_t now, uint64_t window, unsigned *ret_hidden)
{
	if (now >= rate->window_end) {
		rate->window_end = now + window;
		rate->n_shown = 0;
	}
	if (rate->n_shown == MCE_LINES_MAX) {
		rate->n_hidden++;
		return false;
	}
	rate->n_shown++;
	*ret_hidden = rate->n_hidden;
	rate->n_hidden = 0;
	return true;
}
