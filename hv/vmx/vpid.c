/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocated VPIDs, one bit each. A search starts where the last one ended, so that it succeeds
 * immediately while most are free, and a freed VPID stays unused as long as possible.
 */
#include "hv/vmx/vpid.h"

#include "hv/lib/assert.h"
#include "hv/lib/lock.h"

#define N_WORDS (0x10000 / 64)

static struct lock lock; /* guards what follows */
static uint64_t taken[N_WORDS] = {BIT(0) | BIT(VPID_SHARED)};
static unsigned next_word;

static uint16_t take_from(unsigned word)
{
	unsigned bit = (unsigned)__builtin_ctzll(~taken[word]);

	taken[word] |= BIT(bit);
	next_word = word;
	return (uint16_t)(word * 64 + bit);
}

uint16_t vpid_alloc(void)
{
	uint16_t vpid = VPID_SHARED;

	lock_acquire(&lock);
	for (unsigned i = 0; i < N_WORDS; i++) {
		unsigned word = (next_word + i) % N_WORDS;

		if (taken[word] != UINT64_MAX) {
			vpid = take_from(word);
			break;
		}
	}
	lock_release(&lock);
	return vpid;
}

void vpid_free(uint16_t vpid)
{
	if (vpid == VPID_SHARED)
		return;
	lock_acquire(&lock);
	assert(vpid != 0 && taken[vpid / 64] & BIT(vpid % 64));
	taken[vpid / 64] &= ~BIT(vpid % 64);
	lock_release(&lock);
}
