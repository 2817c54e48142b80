/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

enum { OUTPUT_RING_SIZE = 16384 }; /* bytes, a power of two */

/*
 * Output on its way to the serial port. Bytes that were taken stay until others need their
 * place, so that a port that is chosen later gets them too. Not locked.
 */
struct output_ring {
	uint64_t head, tail; /* total bytes put in and taken out */
	char data[OUTPUT_RING_SIZE];
};

/* Bytes that wait. */
size_t output_ring_len(const struct output_ring *ring);

/* The ring must not be full. */
void output_ring_put(struct output_ring *ring, char c);

/* The byte that has waited longest; the ring must not be empty. */
char output_ring_take(struct output_ring *ring);

/* Let all bytes wait again that are still there. */
void output_ring_rewind(struct output_ring *ring);
