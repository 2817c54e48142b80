/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encoder of files sent over the console. Memory is mostly zeros: runs of one byte are encoded
 * as a count, everything else is sent literally.
 */
#include "hv/monitor/send.h"

#include "hv/lib/crc32.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	LITERAL_MAX = 128, /* bytes in one token */
	RUN_TOKEN = 128,
	RUN_TOKEN_MAX = 12, /* its size: a count of 10 bytes, and the byte */
	RUN_MIN = 4,	    /* shorter runs are sent literally */
	ENDED = UINT8_MAX,
};

/* The last group is padded with '='. */
static size_t put_base64(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)data[i] << 16;

		group |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
		group |= i + 2 < len ? data[i + 2] : 0;
		for (int shift = 18; shift >= 0; shift -= 6)
			text[n++] = digits[group >> shift & 63];
		if (i + 2 >= len)
			text[n - 1] = '=';
		if (i + 1 >= len)
			text[n - 2] = '=';
	}
	return n;
}

/* Encode the gathered line and begin a new one. */
static size_t put_line(struct send *send, char *text)
{
	size_t n;

	send->crc = crc32_add(send->crc, send->line, send->len);
	n = format(text, SEND_LINE_MAX, "stencil~D %08x %08x ", send->n_lines++, send->crc);
	n += put_base64(send->line, send->len, text + n);
	text[n++] = '\n';
	send->len = 0;
	send->literal = 0;
	return n;
}

static bool add_run(struct send *send)
{
	uint64_t count = send->run_len;

	if (send->len + RUN_TOKEN_MAX > SEND_LINE_BYTES)
		return false;
	send->line[send->len++] = RUN_TOKEN;
	for (; count >= 128; count >>= 7)
		send->line[send->len++] = (uint8_t)(count | 128);
	send->line[send->len++] = (uint8_t)count;
	send->line[send->len++] = send->run_byte;
	send->literal = send->len;
	return true;
}

/* Add the few waiting bytes to the last token, or to a new one. */
static bool add_literal(struct send *send)
{
	size_t n = send->len - send->literal;

	if (send->len + 1 + send->run_len > SEND_LINE_BYTES)
		return false;
	if (n == 0 || n + send->run_len > LITERAL_MAX) {
		send->literal = send->len++;
		n = 1;
	}
	send->line[send->literal] = (uint8_t)(n - 2 + send->run_len);
	for (uint64_t i = 0; i < send->run_len; i++)
		send->line[send->len++] = send->run_byte;
	return true;
}

/* Move the waiting bytes into the line. False: there is no room. */
static bool add_waiting(struct send *send)
{
	bool fits = send->run_len >= RUN_MIN ? add_run(send) : add_literal(send);

	if (fits)
		send->run_len = 0;
	return fits;
}

static size_t count_equal(const uint8_t *data, size_t len)
{
	uint64_t pattern = data[0] * UINT64_C(0x0101010101010101), word;
	size_t n = 1;

	for (; n + sizeof(word) <= len; n += sizeof(word)) {
		memcpy(&word, data + n, sizeof(word));
		if (word != pattern)
			break;
	}
	while (n < len && data[n] == data[0])
		n++;
	return n;
}

size_t send_begin(struct send *send, const char *name, uint64_t size, char text[SEND_LINE_MAX])
{
	*send = (struct send){0};
	return format(text, SEND_LINE_MAX, "stencil~B 1 %lu %.*s\n", size, SEND_NAME_MAX, name);
}

size_t send_data(struct send *send, const void *data, size_t len, char text[SEND_LINE_MAX],
		 size_t *ret_len)
{
	const uint8_t *bytes = data;
	size_t taken = 0;

	*ret_len = 0;
	while (taken < len) {
		size_t n;

		if (send->run_len > 0 && bytes[taken] != send->run_byte && !add_waiting(send)) {
			*ret_len = put_line(send, text);
			return taken;
		}
		n = count_equal(bytes + taken, len - taken);
		send->run_byte = bytes[taken];
		send->run_len += n;
		taken += n;
	}
	return taken;
}

size_t send_end(struct send *send, char text[SEND_LINE_MAX])
{
	if (send->len == ENDED)
		return 0;
	if (send->run_len > 0 && !add_waiting(send))
		return put_line(send, text);
	if (send->len > 0)
		return put_line(send, text);
	send->len = ENDED;
	return format(text, SEND_LINE_MAX, "stencil~E %08x %08x\n", send->n_lines, send->crc);
}
