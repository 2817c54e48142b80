/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * cmocka needs these four first, in this order. hv/lib/assert.h must not
 * collide with its macros.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/lib/types.h"

/*
 * What log_line() printed in this process since log_reset(), as lines. Errors
 * have the prefix "error: ", warnings "warning: ". A fixed buffer.
 */
extern char logged[65536];
void log_reset(void);

/* Whether an assertion fails in f(), which runs in a child process. */
bool aborts(void (*f)(void));

/*
 * Allocate a zeroed arena of 'size' bytes that stands for physical memory from
 * 'start' on. Sets phys_offset.
 */
void *phys_arena(phys_t start, size_t size);

/*
 * The current processor's stack of free frames. A test may point it to another
 * stack to be another processor; each thread of a test must.
 */
extern _Thread_local struct frame_stack *stack_here;

/* Whether the map of free frames takes none of them. Set before memory is added. */
extern bool free_map_is_apart;
