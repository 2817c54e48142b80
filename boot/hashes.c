/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the list of hashes of a locked image. The list is as trustworthy as the image that holds
 * it; nevertheless nothing is read outside it, and a line in another form names no file.
 */
#include "boot/hashes.h"

#include <stddef.h>

#define N_DIGITS ((uint64_t)2 * SHA256_SIZE)
#define NAME_AT	 (N_DIGITS + 2)

/* 16: not a digit. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

static bool read_hash(const char *digits, uint8_t ret[SHA256_SIZE])
{
	for (unsigned i = 0; i < SHA256_SIZE; i++) {
		unsigned high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);

		if (high == 16 || low == 16)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_name(const char *text, uint64_t len, const char *name)
{
	for (uint64_t i = 0; i < len; i++) {
		if (name[i] == '\0' || text[i] != name[i])
			return false;
	}
	return name[len] == '\0';
}

static uint64_t line_len(const char *text, uint64_t left)
{
	uint64_t len = 0;

	while (len < left && text[len] != '\n' && text[len] != '\0')
		len++;
	return len;
}

bool hashes_find(const struct hashes *hashes, const char *name, uint8_t ret[SHA256_SIZE])
{
	for (uint64_t at = 0, len; at < hashes->len; at += len + 1) {
		const char *line = hashes->text + at;

		len = line_len(line, hashes->len - at);
		if (len <= NAME_AT || line[N_DIGITS] != ' ' || line[N_DIGITS + 1] != ' ')
			continue;
		if (is_name(line + NAME_AT, len - NAME_AT, name))
			return read_hash(line, ret);
	}
	return false;
}
