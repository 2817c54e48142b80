/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/guest_line.h"

#include "hv/backends/utf8.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum { DELETE = 0x7f, FIRST_PRINTABLE = ' ' };

/* Of one byte that is not printable. */
static size_t show_byte(char *to, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	if (byte < FIRST_PRINTABLE || byte == DELETE) {
		to[0] = '^';
		to[1] = (char)(byte ^ '@');
		return 2;
	}
	to[0] = '\\';
	to[1] = 'x';
	to[2] = digits[byte >> 4];
	to[3] = digits[byte & 15];
	return 4;
}

/* ECMA-48, "Select graphic rendition": 31 is red, 36 cyan. */
static size_t show_name(char *to, const struct guest_line_name *name)
{
	int len = (int)strnlen(name->name, CLONE_NAME_SIZE);
	int n_label = (int)strnlen(name->label, GUEST_LINE_LABEL);
	const char *slash = n_label > 0 ? "/" : "";

	if (name->color == 0)
		return format(to, GUEST_LINE_MAX, "%.*s%s%.*s: ", len, name->name, slash, n_label,
			      name->label);
	return format(to, GUEST_LINE_MAX, "\033[%um%.*s%s%.*s:\033[m ", 30 + name->color, len,
		      name->name, slash, n_label, name->label);
}

size_t guest_line_show(char text[GUEST_LINE_MAX], const struct guest_line_name *name,
		       const char *bytes, size_t len)
{
	size_t n = show_name(text, name);

	assert(len <= VM_LINE_SIZE);
	for (size_t i = 0; i < len;) {
		size_t size = bytes[i] == '\t' ? 1 : utf8_printable(bytes + i, len - i);

		memcpy(text + n, bytes + i, size);
		n += size;
		i += size;
		if (size == 0)
			n += show_byte(text + n, (uint8_t)bytes[i++]);
	}
	text[n++] = '\n';
	return n;
}
