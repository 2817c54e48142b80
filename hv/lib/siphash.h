/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* A secret key. Two words of random bits. */
struct siphash_key {
	uint64_t word[2];
};

/*
 * SipHash-2-4 of n whole words (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input
 * PRF"). A guest that does not know the key cannot choose words with equal hashes.
 */
uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t n);
