/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A file as lines of text between other lines of a console. guest-tools/receive extracts it.
 *
 *	stencil~B 1 SIZE NAME         the beginning: version of the format, size in bytes
 *	stencil~D SEQ CRC BASE64      data; SEQ counts from 0
 *	stencil~E N CRC               the end: how many data lines
 *
 * SEQ, N and CRC are 8 hexadecimal digits, SIZE is decimal. CRC is the CRC-32 (that of zip) of all
 * bytes that the data lines so far decode to from base64. These bytes are tokens, none of which
 * crosses a line: a byte n < 128, then n + 1 literal bytes; or 128, then a count (LEB128) and the
 * byte to repeat.
 */
#define SEND_LINE_BYTES 192
#define SEND_LINE_MAX	(SEND_LINE_BYTES / 3 * 4 + 32)
#define SEND_NAME_MAX	200

/* The state of the encoder; initialised by send_begin(). */
struct send {
	uint32_t n_lines, crc;
	uint8_t line[SEND_LINE_BYTES];
	size_t len;	  /* of the line */
	size_t literal;	  /* where the last token begins in it, if that can grow; else 'len' */
	uint8_t run_byte; /* waits to be put into the line, */
	uint64_t run_len; /* so many times */
};

/* The first line, with a newline; returns its length. A name is cut after SEND_NAME_MAX bytes. */
size_t send_begin(struct send *send, const char *name, uint64_t size, char text[SEND_LINE_MAX]);
/*
 * Take data; returns how many bytes were taken. A complete line is put into 'text' and its length
 * into '*ret_len'. If '*ret_len' is 0, all data was taken.
 */
size_t send_data(struct send *send, const void *data, size_t len, char text[SEND_LINE_MAX],
		 size_t *ret_len);
/* The next of the last lines. To be called after the last byte, until it returns 0. */
size_t send_end(struct send *send, char text[SEND_LINE_MAX]);
