/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/raw_output.h"

#include "hv/lib/assert.h"
#include "hv/lib/print.h"

/* DECSTR of a VT220: colors, margins and character sets are what they were. */
#define RESET_TERMINAL "\x1b[!p"

void raw_output_begin(struct raw_output *raw, const char *name, uint64_t code)
{
	assert(raw->state == RAW_OFF);
	raw->state = RAW_ON;
	raw->code = code;
	format(raw->name, sizeof(raw->name), "%s", name);
}

void raw_output_end(struct raw_output *raw)
{
	if (raw->state == RAW_ON)
		raw->state = RAW_ENDS;
}

void raw_output_put(struct raw_output *raw, uint8_t byte)
{
	if (output_ring_len(&raw->ring) < OUTPUT_RING_SIZE)
		output_ring_put(&raw->ring, (char)byte);
}

bool raw_output_holds_vm(struct raw_output *raw)
{
	raw->is_awaited = output_ring_len(&raw->ring) >= OUTPUT_RING_SIZE / 2;
	return raw->is_awaited;
}

bool raw_output_frees_vm(struct raw_output *raw)
{
	return raw->is_awaited && !raw_output_holds_vm(raw);
}

static size_t take_end(struct raw_output *raw, char piece[RAW_PIECE_MAX])
{
	raw->state = RAW_OFF;
	return format(piece, RAW_PIECE_MAX,
		      RESET_TERMINAL "\nstencil: console: %016lx: end of the raw output of VM %s\n",
		      raw->code, raw->name);
}

size_t raw_output_take(struct raw_output *raw, char piece[RAW_PIECE_MAX])
{
	size_t n = 0;

	while (n < RAW_PIECE_MAX && output_ring_len(&raw->ring) > 0)
		piece[n++] = output_ring_take(&raw->ring);
	return n == 0 && raw->state == RAW_ENDS ? take_end(raw, piece) : n;
}
