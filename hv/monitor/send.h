/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/lz4.h"
#include "hv/lib/types.h"

/*
 * A file as lines of text between other lines of a console. guest-tools/receive extracts it.
 *
 *	stencil~B 2 SIZE NAME         the beginning: version of the format, size in bytes
 *	stencil~D SEQ CRC BASE64      data; SEQ counts from 0
 *	stencil~E N CRC               the end: how many data lines
 *
 * SEQ, N and CRC are 8 hexadecimal digits, SIZE is decimal. CRC is the CRC-32 (that of zip) of all
 * bytes that the data lines so far decode to from base64. These bytes are blocks, which may cross
 * lines. A block begins with two numbers (LEB128): how many bytes of the file it stands for, and
 *how many bytes follow. If as many follow, they are the file's; if 1 follows, it is repeated; else
 *they are a block in the LZ4 block format, for at most SEND_BLOCK_MAX bytes.
 */
#define SEND_BLOCK_MAX	16384
#define SEND_LINE_BYTES 192
#define SEND_LINE_MAX	(SEND_LINE_BYTES / 3 * 4 + 32)
#define SEND_NAME_MAX	208
#define SEND_NUMBER_MAX 10 /* bytes */

/* The encoder's memory: what waits to be encoded, and what waits to be sent. */
struct send_work {
	uint8_t raw[SEND_BLOCK_MAX];
	uint8_t block[2 * SEND_NUMBER_MAX + LZ4_BOUND(SEND_BLOCK_MAX)];
	struct lz4_table table;
};

/* The state of the encoder; initialised by send_begin(). */
struct send {
	struct send_work *work;
	uint32_t n_lines, crc;
	uint8_t line[SEND_LINE_BYTES];
	size_t line_len;
	size_t block_at, block_len; /* of work->block, to be put into lines */
	size_t raw_len;		    /* of work->raw; 0 if there is a run */
	uint8_t run_byte;	    /* waits, so many times, where a block begins */
	uint64_t run_len;
	bool is_ended;
};

/*
 * The first line, with a newline; returns its length. A name is cut after SEND_NAME_MAX bytes.
 * 'work' stays in use.
 */
size_t send_begin(struct send *send, struct send_work *work, const char *name, uint64_t size,
		  char text[SEND_LINE_MAX]);
/*
 * Take data; returns how many bytes were taken. A complete line is put into 'text' and its length
 * into '*ret_len'. If '*ret_len' is 0, all data was taken. Compresses at most one block.
 */
size_t send_data(struct send *send, const void *data, size_t len, char text[SEND_LINE_MAX],
		 size_t *ret_len);
/*
 * The same for zeros, which send_data() would encode alike. While a run of zeros waits, all are
 * taken at once, however many there are.
 */
size_t send_zeros(struct send *send, uint64_t len, char text[SEND_LINE_MAX], size_t *ret_len);
/* The next of the last lines. To be called after the last byte, until it returns 0. */
size_t send_end(struct send *send, char text[SEND_LINE_MAX]);
