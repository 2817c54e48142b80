/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encoder of files sent over the console. Memory is mostly zeros: a run of one byte that begins
 * where a block does is a count, however long it is. Other bytes are gathered and compressed.
 */
#include "hv/monitor/send.h"

#include "hv/lib/crc32.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Shorter runs are compressed with what follows. */
#define RUN_MIN 256

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

	send->crc = crc32_add(send->crc, send->line, send->line_len);
	n = format(text, SEND_LINE_MAX, "stencil~D %08x %08x ", send->n_lines++, send->crc);
	n += put_base64(send->line, send->line_len, text + n);
	text[n++] = '\n';
	send->line_len = 0;
	return n;
}

/* Move bytes of the block into the line. Returns the length of the line if it is full. */
static size_t fill_line(struct send *send, char *text)
{
	size_t n = SEND_LINE_BYTES - send->line_len;

	if (n > send->block_len - send->block_at)
		n = send->block_len - send->block_at;
	memcpy(send->line + send->line_len, send->work->block + send->block_at, n);
	send->line_len += n;
	send->block_at += n;
	return send->line_len == SEND_LINE_BYTES ? put_line(send, text) : 0;
}

static uint8_t *put_number(uint8_t *out, uint64_t value)
{
	for (; value >= 128; value >>= 7)
		*out++ = (uint8_t)(value | 128);
	*out++ = (uint8_t)value;
	return out;
}

/* The beginning of a block, when the last one is in lines. */
static uint8_t *begin_block(struct send *send, uint64_t size, uint64_t len)
{
	send->block_at = 0;
	return put_number(put_number(send->work->block, size), len);
}

static void encode_run(struct send *send)
{
	uint8_t *out = begin_block(send, send->run_len, 1);

	*out++ = send->run_byte;
	send->block_len = (size_t)(out - send->work->block);
	send->run_len = 0;
}

/* What the compressor makes must not look like bytes as they are, nor like a run. */
static void encode_raw(struct send *send)
{
	struct send_work *work = send->work;
	uint8_t *compressed = work->block + 2 * (size_t)SEND_NUMBER_MAX, *out;
	size_t len = lz4_compress(work->raw, send->raw_len, &work->table, compressed);
	bool pays = len > 1 && len < send->raw_len;

	if (!pays)
		len = send->raw_len;
	out = begin_block(send, send->raw_len, len);
	memmove(out, pays ? compressed : work->raw, len);
	send->block_len = (size_t)(out - work->block) + len;
	send->raw_len = 0;
}

/* The run has ended: encode it, or let it be the beginning of what is gathered. */
static void end_run(struct send *send)
{
	if (send->run_len >= RUN_MIN) {
		encode_run(send);
		return;
	}
	memset(send->work->raw, send->run_byte, send->run_len);
	send->raw_len = send->run_len;
	send->run_len = 0;
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

/* Take bytes that continue the run, or begin one. */
static size_t add_run(struct send *send, const uint8_t *bytes, size_t len)
{
	size_t n = count_equal(bytes, len);

	send->run_byte = bytes[0];
	send->run_len += n;
	return n;
}

static size_t add_raw(struct send *send, const uint8_t *bytes, size_t len)
{
	size_t n = SEND_BLOCK_MAX - send->raw_len < len ? SEND_BLOCK_MAX - send->raw_len : len;

	memcpy(send->work->raw + send->raw_len, bytes, n);
	send->raw_len += n;
	if (send->raw_len == SEND_BLOCK_MAX)
		encode_raw(send);
	return n;
}

/* Take some bytes, while no block waits to be put into lines. */
static size_t add(struct send *send, const uint8_t *bytes, size_t len)
{
	if (send->raw_len > 0)
		return add_raw(send, bytes, len);
	if (send->run_len == 0 || bytes[0] == send->run_byte)
		return add_run(send, bytes, len);
	end_run(send);
	return 0;
}

size_t send_begin(struct send *send, struct send_work *work, const char *name, uint64_t size,
		  char text[SEND_LINE_MAX])
{
	*send = (struct send){.work = work};
	return format(text, SEND_LINE_MAX, "stencil~B 2 %lu %.*s\n", size, SEND_NAME_MAX, name);
}

size_t send_data(struct send *send, const void *data, size_t len, char text[SEND_LINE_MAX],
		 size_t *ret_len)
{
	const uint8_t *bytes = data;
	size_t taken = 0;

	do {
		*ret_len = fill_line(send, text);
		if (*ret_len == 0 && taken < len)
			taken += add(send, bytes + taken, len - taken);
	} while (*ret_len == 0 && (taken < len || send->block_at < send->block_len));
	return taken;
}

size_t send_zeros(struct send *send, uint64_t len, char text[SEND_LINE_MAX], size_t *ret_len)
{
	static const uint8_t zeros[RUN_MIN];

	/* While a run waits, no block does. */
	if (send->run_len == 0 || send->run_byte != 0)
		return send_data(send, zeros, len < RUN_MIN ? len : RUN_MIN, text, ret_len);
	send->run_len += len;
	*ret_len = 0;
	return len;
}

/* Encode what waits; false: nothing does. */
static bool encode_rest(struct send *send)
{
	if (send->run_len > 0)
		encode_run(send);
	else if (send->raw_len > 0)
		encode_raw(send);
	else
		return false;
	return true;
}

size_t send_end(struct send *send, char text[SEND_LINE_MAX])
{
	size_t len;

	if (send->is_ended)
		return 0;
	do {
		len = fill_line(send, text);
		if (len > 0)
			return len;
	} while (send->block_at < send->block_len || encode_rest(send));
	if (send->line_len > 0)
		return put_line(send, text);
	send->is_ended = true;
	return format(text, SEND_LINE_MAX, "stencil~E %08x %08x\n", send->n_lines, send->crc);
}
