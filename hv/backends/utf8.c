/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bytes are text. Control characters are not, because terminals obey them; neither are those
 * that UTF-8 hides in two bytes (C1). Widths and directions of characters are ignored.
 */
#include "hv/backends/utf8.h"

/* The number of continuation bytes after 'lead', and the least code point they may form. */
static size_t sequence(uint8_t lead, uint32_t *code, uint32_t *least)
{
	if (lead >= 0xc2 && lead <= 0xdf) {
		*code = lead & 0x1f;
		*least = 0xa0; /* below are the C1 controls */
		return 1;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		*code = lead & 0xf;
		*least = 0x800;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*code = lead & 7;
		*least = 0x10000;
		return 3;
	}
	return 0;
}

size_t utf8_printable(const char *s, size_t len)
{
	uint32_t code = 0, least = 0;
	size_t n;

	if (len == 0)
		return 0;
	if ((uint8_t)s[0] < 0x80)
		return s[0] >= ' ' && s[0] != 0x7f;
	n = sequence((uint8_t)s[0], &code, &least);
	if (n == 0 || n >= len)
		return 0;
	for (size_t i = 1; i <= n; i++) {
		if (((uint8_t)s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((uint8_t)s[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n + 1;
}
