/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Replaces hv/lib/string.h in proofs: the same functions word for word, without assembly. */
#include <stddef.h>
#include <stdint.h>

static inline void *memset(void *to, int value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)to)[i] = (unsigned char)value;
	return to;
}

static inline void copy_words(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint64_t *)to)[i] = ((const uint64_t *)from)[i];
}

static inline void zero_words(void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint64_t *)to)[i] = 0;
}

int strcmp(const char *a, const char *b);
