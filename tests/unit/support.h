/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* cmocka wants these four first, in this order; hv/lib/assert.h must not collide with its macros.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/lib/types.h"

/*
 * What log_line() said in this process since log_reset(), lines ended by '\n';
 * errors are prefixed "error: ", warnings "warning: ". Kept in a fixed buffer.
 */
extern char logged[65536];
void log_reset(void);

/* A zeroed arena of 'size' bytes standing for physical memory from 'start' on; sets phys_offset. */
void *phys_arena(phys_t start, size_t size);

/* The current processor's stack of free frames; a test may point it elsewhere to be another one,
 * and each thread of its own has to. */
extern _Thread_local struct frame_stack *stack_here;
