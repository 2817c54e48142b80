/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * For WP, included before the code it analyses: the results of helpers, in
 * numbers. align.smt2 proves that align_down() computes them with its bits.
 */
#include "hv/lib/types.h"

/*@ requires 0 < align;
    ensures \result <= v && v - \result < align && \result % align == 0;
    assigns \nothing; */
static inline uint64_t align_down(uint64_t v, uint64_t align);

/*@ requires 0 < align && v + align <= 18446744073709551615;
    ensures v <= \result && \result - v < align && \result % align == 0;
    assigns \nothing; */
static inline uint64_t align_up(uint64_t v, uint64_t align);

/* Replaces the compiler's. */
#define __builtin_add_overflow(a, b, ret) add_overflow((a), (b), (ret))

/*@ requires \valid(ret);
    ensures \result == 0 ==> *ret == a + b;
    ensures \result != 0 ==> a + b > 18446744073709551615;
    assigns *ret; */
int add_overflow(uint64_t a, uint64_t b, uint64_t *ret);
