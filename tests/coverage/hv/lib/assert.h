/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * For the measurement of coverage: as hv/lib/assert.h, but without a branch at each use. The branch
 * of a broken invariant is not taken by tests, as a rule.
 */
_Noreturn void assert_fail(const char *expr, const char *file, int line);

static inline void assert_that(bool holds, const char *expr, const char *file, int line)
{
	if (!holds)
		assert_fail(expr, file, line);
}

#define assert(expr) assert_that(expr, #expr, __FILE__, __LINE__)
