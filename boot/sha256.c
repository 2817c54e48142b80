/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 in plain C: the firmware's own hash protocols are optional, and most firmware has none.
 * Makes no claim about timing, because nothing that is hashed is secret.
 */
#include "boot/sha256.h"

#include <stddef.h>

#define BLOCK 64 /* bytes */
#define WORDS 8	 /* of the state */
#define STEPS 64

/* FIPS 180-4, "SHA-224 and SHA-256 Constants". */
static const uint32_t constants[STEPS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* The message schedule: 16 words of the block, big-endian, and 48 made of them. */
static void schedule(const uint8_t *block, uint32_t w[STEPS])
{
	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *p = block + 4 * i;

		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	}
	for (unsigned i = 16; i < STEPS; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void add_block(uint32_t state[WORDS], const uint8_t *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t w[STEPS];

	schedule(block, w);
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
		uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
		uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
		uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

/* The rest of less than a block, a one bit, zeros, and the length in bits, big-endian. */
static void add_end(uint32_t state[WORDS], const uint8_t *rest, uint64_t len)
{
	uint8_t last[2 * BLOCK] = {};
	unsigned n = len % BLOCK, size = n < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	/* One loop, because the compiler makes a call of memcpy() of a plain copy. */
	for (unsigned i = 0; i <= n; i++)
		last[i] = i < n ? rest[i] : 0x80;
	for (unsigned i = 0; i < 8; i++)
		last[size - 1 - i] = (uint8_t)(len * 8 >> 8 * i);
	for (unsigned at = 0; at < size; at += BLOCK)
		add_block(state, last + at);
}

void sha256(const void *data, uint64_t len, uint8_t ret[SHA256_SIZE])
{
	uint32_t state[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const uint8_t *bytes = data;
	uint64_t left = len;

	for (; left >= BLOCK; left -= BLOCK, bytes += BLOCK)
		add_block(state, bytes);
	add_end(state, bytes, len);
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		ret[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
