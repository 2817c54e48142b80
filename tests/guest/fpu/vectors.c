/* SPDX-License-Identifier: BSD-2-Clause */
/* Distinct values in every x87, SSE and AVX register. C code here uses none of them. */
#include "tests/guest/fpu/fpu.h"

#define FX_FTW	 4
#define FX_MXCSR 24
#define FX_ST	 32
#define FX_XMM	 160
#define FX_USED	 416

static struct vector_state wanted, found;

static void put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

void vectors_set(uint64_t seed, bool avx)
{
	memset(&wanted, 0, sizeof(wanted));
	wanted.fx[0] = 0x7f; /* FCW: the seed's rounding mode, all exceptions masked */
	wanted.fx[1] = (uint8_t)(0x03 | (seed & 3) << 2);
	wanted.fx[FX_FTW] = 0xff;
	wanted.fx[FX_MXCSR] = 0x80;
	wanted.fx[FX_MXCSR + 1] = (uint8_t)(0x1f | (seed & 3) << 5);
	for (unsigned i = 0; i < 8; i++) {
		put(wanted.fx + FX_ST + 16 * i, mix(seed, i) | BIT(63));
		wanted.fx[FX_ST + 16 * i + 8] = (uint8_t)(0x10 + i);
		wanted.fx[FX_ST + 16 * i + 9] = 0x40;
	}
	for (unsigned i = 0; i < 32; i++)
		put(wanted.fx + FX_XMM + 8 * i, mix(seed, 100 + i));
	for (unsigned i = 0; i < 32; i++)
		put(wanted.upper[0] + 8 * i, mix(seed, 200 + i));
	vector_load(&wanted, avx);
}

static bool zero(const uint8_t *p, size_t n)
{
	while (n > 0) {
		if (p[--n] != 0)
			return false;
	}
	return true;
}

bool vectors_kept(bool avx)
{
	memset(&found, 0, sizeof(found));
	vector_save(&found, avx);
	/* Everything except the addresses of the last x87 instruction and the mask of MXCSR. */
	return memcmp(wanted.fx, found.fx, 6) == 0 &&
	       memcmp(wanted.fx + FX_MXCSR, found.fx + FX_MXCSR, 4) == 0 &&
	       memcmp(wanted.fx + FX_ST, found.fx + FX_ST, FX_USED - FX_ST) == 0 &&
	       (!avx || memcmp(wanted.upper, found.upper, sizeof(found.upper)) == 0);
}

bool vectors_clear(bool avx)
{
	memset(&found, 0, sizeof(found));
	vector_save(&found, avx);
	return zero(found.fx + FX_XMM, FX_USED - FX_XMM) &&
	       zero((const uint8_t *)found.upper, sizeof(found.upper));
}
