/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/watchdog_round.h"

bool watchdog_round_pass(struct watchdog_round *round, uint32_t *passed, unsigned n)
{
	/* Acquire pairs with the release below: n_passed is that of the new round. */
	uint32_t n_ended = __atomic_load_n(&round->n_ended, __ATOMIC_ACQUIRE);

	if (*passed != n_ended)
		return false;
	*passed = n_ended + 1;
	if (__atomic_add_fetch(&round->n_passed, 1, __ATOMIC_RELAXED) < n)
		return false;
	__atomic_store_n(&round->n_passed, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&round->n_ended, n_ended + 1, __ATOMIC_RELEASE);
	return true;
}
