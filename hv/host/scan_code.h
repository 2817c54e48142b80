/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* What the decoder knows from earlier bytes. Zeroed, it knows nothing. */
struct scan_decoder {
	bool is_set_2;	/* the bytes are those of the keyboard; otherwise translated to set 1 */
	bool extended;	/* the next code is a key that the first keyboards did not have */
	bool released;	/* the next code is a key that goes up; set 2 */
	uint8_t n_skip; /* codes of the Pause key that follow */
	bool shift[2], ctrl[2], caps; /* left and right */
	const char *rest;	      /* of a key's characters: for scan_rest(); NULL: none */
};

/* What the key F2 gives, which is not a character: the screen shows its other page. */
#define SCAN_SWITCH 0x80

/*
 * The character that this byte of the keyboard's completes, US layout; -1: none. A key of the
 * cursor gives several: the others come from scan_rest(), before the next byte is decoded.
 */
int scan_decode(struct scan_decoder *decoder, uint8_t byte);
/* The next character of the last key; -1: it has no more. */
int scan_rest(struct scan_decoder *decoder);
