/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The parts of the fpu payload. */

#include "tests/guest/lib/lib.h"

struct vector_state {
	uint8_t fx[512];
	uint8_t upper[16][16];
} __attribute__((aligned(64)));

void vector_load(const struct vector_state *state, bool avx);
void vector_save(struct vector_state *state, bool avx);

void vectors_set(uint64_t seed, bool avx);
bool vectors_kept(bool avx);
/* Whether all xmm (and ymm) registers are zero, as after a reset. */
bool vectors_clear(bool avx);

void registers_set(uint64_t seed);
bool registers_kept(void);
void registers_restore(void);

void ram_check(void);

/* 64 bits made of a seed and a number, different for each pair. */
static inline uint64_t mix(uint64_t seed, uint64_t n)
{
	uint64_t x = (seed + n) * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 31;
	return x * UINT64_C(0xbf58476d1ce4e5b9);
}
