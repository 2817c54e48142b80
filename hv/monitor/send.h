/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A file as lines of text that survive among others on a console; guest-tools/receive makes a
 * file of them again.
 *
 *	stencil~B 1 SIZE NAME         the beginning: version of the format, bytes
 *	stencil~D SEQ CRC BASE64      data; SEQ counts from 0
 *	stencil~E N CRC               the end: how many data lines
 *
 * SEQ, N and CRC are 8 hexadecimal digits, SIZE is decimal. CRC is CRC-32 (as zip has it)
 * of all that the data lines up to here decode to from base64. That is a stream of tokens, none of
 * which crosses a line: a byte n < 128 and n + 1 bytes as they are; or 128, a count (LEB128) and a
 * byte that is there so many times.
 */
#define SEND_LINE_BYTES 192
#define SEND_LINE_MAX	(SEND_LINE_BYTES / 3 * 4 + 32)
#define SEND_NAME_MAX	200

/* Where the encoder is; made by send_begin(). */
struct send {
	uint32_t n_lines, crc;
	uint8_t line[SEND_LINE_BYTES];
	size_t len;	  /* of the line */
	size_t literal;	  /* where in it the last token began, if that can grow; else 'len' */
	uint8_t run_byte; /* not in the line yet: a byte, */
	uint64_t run_len; /* and how many times */
};

/* The first line, newline included; returns its length. A longer name than SEND_NAME_MAX is cut. */
size_t send_begin(struct send *send, const char *name, uint64_t size, char text[SEND_LINE_MAX]);
/*
 * Take some of the data, of 'size' bytes in all; returns how many. If a line is complete it goes
 * to 'text', with its length in '*ret_len', else that is 0 and all was taken.
 */
size_t send_data(struct send *send, const void *data, size_t len, char text[SEND_LINE_MAX],
		 size_t *ret_len);
/* After the last byte, again and again: the next of the last lines; 0: that was all. */
size_t send_end(struct send *send, char text[SEND_LINE_MAX]);
