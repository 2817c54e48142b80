/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * A part of the C library, with its standard meaning: from hv/lib/string.c on
 * the machine, from libc in hosted builds.
 */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copy n words of pages and tables: one instruction, where memcpy() also handles the ends. */
static inline void copy_words(void *restrict dst, const void *restrict src, size_t n)
{
	asm volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static inline void zero_words(void *dst, size_t n)
{
	asm volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(0L) : "memory");
}
