/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The sequences that a terminal sends for the keys of the cursor, as the control characters that
 * mean the same.
 */
enum { CTRL_A = 1, CTRL_B, CTRL_D = 4, CTRL_E, CTRL_F, CTRL_N = 14, CTRL_P = 16 };

/* Zeroed at the start: no sequence has begun. */
struct escape {
	uint8_t state;
	uint8_t number; /* the parameter; two digits and more are all alike */
};

/*
 * Take a byte of the terminal. Returns the byte, or CTRL_P, CTRL_N, CTRL_F and CTRL_B for the
 * arrows up, down, right and left, CTRL_A and CTRL_E for Home and End, CTRL_D for Delete; -1: the
 * byte belongs to a sequence that is not complete, or unknown. A control character ends a sequence
 * and is returned.
 */
int escape_take(struct escape *escape, uint8_t byte);
