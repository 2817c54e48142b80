/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A frame that keeps the report of a panic for the next start, if the reset leaves memory alone. It
 * is the last frame of the second MiB, where no large page fits, and at the same place in each run.
 */
#define LAST_WORDS_FRAME UINT64_C(0x1ff000)

/*
 * At the start, before the first panic: log what an earlier run has left in the frame, unless it is
 * damaged, and use the frame from now on. NULL: the firmware keeps it, and nothing is kept.
 */
void last_words_init(void *frame);

/* Start a new text; does nothing if there is no frame. Only the processor that panics. */
void last_words_begin(void);
/* Add lines between begin and end; what does not fit is left out. Does nothing otherwise. */
void last_words_add(const char *data, size_t len);
void last_words_end(void);
