/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions of the machine; the compiler emits calls of the
 * first four. Hosted builds use libc's. Copies run in units of eight bytes; the
 * last unit overlaps the one before.
 */
#include "hv/lib/string.h"

#include "hv/lib/types.h"

/*
 * Without this, gcc turns the loops below into calls of themselves. clang does
 * not know the pragma.
 */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC optimize("no-tree-loop-distribute-patterns")

struct word {
	uint64_t value;
} __attribute__((packed, may_alias));

static inline uint64_t load(const void *p)
{
	return ((const struct word *)p)->value;
}

static inline void store(void *p, uint64_t value)
{
	((struct word *)p)->value = value;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	char *d = dst;
	const char *s = src;
	size_t words = n / 8;

	if (words == 0) {
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
		return dst;
	}
	uint64_t tail = load(s + n - 8);

	asm volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	store((char *)dst + n - 8, tail);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n) {
		for (; n >= 8; n -= 8, d += 8, s += 8)
			store(d, load(s));
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
		return dst;
	}
	for (; n >= 8; n -= 8)
		store(d + n - 8, load(s + n - 8));
	while (n > 0) {
		n--;
		d[n] = s[n];
	}
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	char *d = dst;
	size_t words = n / 8;
	uint64_t value = (uint8_t)c * UINT64_C(0x0101010101010101);

	if (words == 0) {
		for (size_t i = 0; i < n; i++)
			d[i] = (char)c;
		return dst;
	}
	asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(value) : "memory");
	store((char *)dst + n - 8, value);
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;
	size_t i = 0;

	while (i + 8 <= n && load(p + i) == load(q + i))
		i += 8;
	for (; i < n; i++) {
		if (p[i] != q[i])
			return p[i] - q[i];
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == (uint8_t)c)
			return (void *)(p + i);
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i])
			return (uint8_t)a[i] - (uint8_t)b[i];
		if (a[i] == '\0')
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (*s == '\0')
			return NULL;
	}
}
