/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/lib/siphash.h"

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t rotate_left(uint64_t value, unsigned n)
{
	return value << n | value >> (64 - n);
}

static inline __attribute__((always_inline)) void mix(struct sip *v, unsigned n_rounds)
{
	for (unsigned i = 0; i < n_rounds; i++) {
		v->a += v->b;
		v->c += v->d;
		v->b = rotate_left(v->b, 13) ^ v->a;
		v->d = rotate_left(v->d, 16) ^ v->c;
		v->a = rotate_left(v->a, 32) + v->d;
		v->c += v->b;
		v->d = rotate_left(v->d, 21) ^ v->a;
		v->b = rotate_left(v->b, 17) ^ v->c;
		v->c = rotate_left(v->c, 32);
	}
}

static inline __attribute__((always_inline)) void add(struct sip *v, uint64_t word)
{
	v->d ^= word;
	mix(v, 2);
	v->a ^= word;
}

uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t n)
{
	/* "somepseudorandomlygeneratedbytes" */
	struct sip v = {
		.a = key->word[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key->word[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key->word[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key->word[1] ^ UINT64_C(0x7465646279746573),
	};

	for (size_t i = 0; i < n; i++)
		add(&v, words[i]);
	add(&v, (uint64_t)(n * sizeof(uint64_t)) << 56);
	v.c ^= 0xff;
	mix(&v, 4);
	return v.a ^ v.b ^ v.c ^ v.d;
}
