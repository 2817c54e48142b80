/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Packets of gdb's remote serial protocol: "$DATA#SUM". Source: "Debugging with GDB", appendix
 * "Remote Protocol", section "Overview".
 */

/* Bytes of a packet's data, in both directions. */
enum { GDB_PACKET_MAX = 4096, GDB_FRAME_MAX = 2 * GDB_PACKET_MAX + 4 };

/* What a byte that was received completes. */
enum gdb_event {
	GDB_PART,
	GDB_PACKET,    /* 'len' bytes are in 'data', and a NUL after them */
	GDB_DAMAGED,   /* a packet with a wrong checksum, or a longer one */
	GDB_INTERRUPT, /* Ctrl-C */
	GDB_REPEAT,    /* the other side asks for the last packet again */
};

/* A packet on its way in. All zeros at first. */
struct gdb_input {
	enum { GDB_BETWEEN, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
	bool is_bad;
	uint8_t sum, told; /* of the bytes that came, and what the packet says */
	size_t len;
	char data[GDB_PACKET_MAX + 1];
};

enum gdb_event gdb_input_add(struct gdb_input *input, uint8_t byte);

/* The value of a hexadecimal digit, above 15: it is none. */
unsigned gdb_digit(char c);

/* Make the packet of 'len' bytes, at most GDB_PACKET_MAX. Returns its length. */
size_t gdb_frame(const char *data, size_t len, char ret[GDB_FRAME_MAX]);
