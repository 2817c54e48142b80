/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (UINT64_C(1) << PAGE_SHIFT)
#define KIB(n)	   ((uint64_t)(n) << 10)
#define MIB(n)	   ((uint64_t)(n) << 20)
#define GIB(n)	   ((uint64_t)(n) << 30)
#define BIT(n)	   (UINT64_C(1) << (n))
#define BITS(h, l) ((UINT64_C(2) << (h)) - (UINT64_C(1) << (l)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Host-physical address. Zero is never a usable page. */
typedef uint64_t phys_t;

/*
 * Guest-physical address. Boxed, so that the compiler rejects a number chosen
 * by the guest where a host address is expected.
 */
typedef struct {
	uint64_t raw;
} gpa_t;

static inline gpa_t gpa_add(gpa_t gpa, uint64_t n)
{
	return (gpa_t){gpa.raw + n};
}

/* 'align' is a power of two. */
static inline bool is_aligned(uint64_t v, uint64_t align)
{
	return (v & (align - 1)) == 0;
}

static inline uint64_t align_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}

/* Wraps to 0 in the last partial unit of the address space: check first. */
static inline uint64_t align_up(uint64_t v, uint64_t align)
{
	return align_down(v + align - 1, align);
}
