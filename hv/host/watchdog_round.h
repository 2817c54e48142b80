/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A round ends when the loop of every processor has passed once. Processors pass concurrently; zero
 * initialized, so that no processor has passed in the first round yet.
 */
struct watchdog_round {
	uint32_t n_ended;
	uint32_t n_passed; /* in this round */
};

/*
 * A processor passes, one of n. '*passed' is its own count of rounds, 0 at first. True for the last
 * one of a round, which has ended then; false also for one that has to wait for others.
 */
bool watchdog_round_pass(struct watchdog_round *round, uint32_t *passed, unsigned n);
