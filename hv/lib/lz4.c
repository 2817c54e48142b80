/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block is a row of sequences: literal bytes, then a match, that is, a copy of earlier output.
 * The last sequence has literal bytes only. Rules of the format for a block's end: the last 5 bytes
 * are literal, and the last match begins at least 12 bytes before the end.
 */
#include "hv/lib/lz4.h"

#include "hv/lib/string.h"

enum {
	MATCH_MIN = 4,
	LITERAL_END = 5,
	MATCH_END = 12,
	NIBBLE_MAX = 15,
	SKIP_SHIFT = 6, /* without a match, steps grow by one each 64 steps */
};

static uint32_t load(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint16_t *slot(struct lz4_table *table, uint32_t word)
{
	return &table->place[word * UINT32_C(2654435761) >> 20];
}

/* The rest of a length whose nibble is full. */
static uint8_t *put_length(uint8_t *out, size_t rest)
{
	for (; rest >= UINT8_MAX; rest -= UINT8_MAX)
		*out++ = UINT8_MAX;
	*out++ = (uint8_t)rest;
	return out;
}

static uint8_t nibble(size_t len)
{
	return len < NIBBLE_MAX ? (uint8_t)len : NIBBLE_MAX;
}

/* A token with 'match_len' in its lower nibble, and literal bytes. */
static uint8_t *put_literals(uint8_t *out, const uint8_t *bytes, size_t len, size_t match_len)
{
	*out++ = (uint8_t)(nibble(len) << 4 | nibble(match_len));
	if (len >= NIBBLE_MAX)
		out = put_length(out, len - NIBBLE_MAX);
	memcpy(out, bytes, len);
	return out + len;
}

static size_t count_match(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = MATCH_MIN;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

size_t lz4_compress(const uint8_t *data, size_t len, struct lz4_table *table, uint8_t *out)
{
	const uint8_t *const start = out;
	size_t literal = 0, at = 0, n_steps = 0;

	memset(table, 0, sizeof(*table));
	while (at + MATCH_END < len) {
		uint32_t word = load(data + at);
		uint16_t *place = slot(table, word);
		size_t before = *place, n;

		*place = (uint16_t)at;
		/* An unused place is 0, which is a match like any other if the bytes are. */
		if (before >= at || load(data + before) != word) {
			at += 1 + (n_steps++ >> SKIP_SHIFT);
			continue;
		}
		n = count_match(data + before, data + at, len - LITERAL_END - at);
		out = put_literals(out, data + literal, at - literal, n - MATCH_MIN);
		*out++ = (uint8_t)(at - before);
		*out++ = (uint8_t)((at - before) >> 8);
		if (n - MATCH_MIN >= NIBBLE_MAX)
			out = put_length(out, n - MATCH_MIN - NIBBLE_MAX);
		at += n;
		literal = at;
		n_steps = 0;
	}
	out = put_literals(out, data + literal, len - literal, 0);
	return (size_t)(out - start);
}

/* Add the bytes that continue a length whose nibble is full. False: the block ends before. */
static bool take_length(const uint8_t **at, const uint8_t *end, size_t *len)
{
	uint8_t byte = UINT8_MAX;

	if (*len < NIBBLE_MAX)
		return true;
	while (byte == UINT8_MAX) {
		if (*at == end)
			return false;
		byte = *(*at)++;
		*len += byte;
	}
	return true;
}

/* The bytes may overlap: then those copied first are copied again. */
static void copy_match(uint8_t *to, size_t distance, size_t len)
{
	const uint8_t *from = to - distance;

	for (; distance >= 8 && len >= 8; from += 8, to += 8, len -= 8)
		memcpy(to, from, 8);
	while (len-- > 0)
		*to++ = *from++;
}

enum status lz4_decompress(const uint8_t *data, size_t len, uint8_t *out, size_t size)
{
	const uint8_t *at = data, *end = data + len;
	size_t done = 0;

	while (at < end) {
		uint8_t token = *at++;
		size_t n = token >> 4, distance;

		if (!take_length(&at, end, &n) || n > (size_t)(end - at) || n > size - done)
			return ERR_CORRUPT;
		memcpy(out + done, at, n);
		at += n;
		done += n;
		if (at == end)
			return done == size ? OK : ERR_CORRUPT;
		if (end - at < 2)
			return ERR_CORRUPT;
		distance = at[0] | (size_t)at[1] << 8;
		at += 2;
		n = token & NIBBLE_MAX;
		if (!take_length(&at, end, &n) || distance == 0 || distance > done ||
		    n + MATCH_MIN > size - done)
			return ERR_CORRUPT;
		copy_match(out + done, distance, n + MATCH_MIN);
		done += n + MATCH_MIN;
	}
	return ERR_CORRUPT; /* without the last literal bytes */
}
