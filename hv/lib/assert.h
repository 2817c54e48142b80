/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A broken invariant is a bug in Stencil: the machine stops with a report
 * (hv/host/panic.c), a hosted test aborts (tests/unit/support.c). Compiled into
 * release builds too.
 */
_Noreturn void assert_fail(const char *expr, const char *file, int line);

#define assert(expr) ((expr) ? (void)0 : assert_fail(#expr, __FILE__, __LINE__))
