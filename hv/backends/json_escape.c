/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/backends/json_escape.h"

#include "hv/backends/utf8.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

size_t json_escape(const char *text, size_t len, char ret[JSON_ESCAPED_SIZE])
{
	static const char escapes[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *value = *text != '\0' ? strchr(values, *text) : NULL;
	size_t n = utf8_printable(text, len);

	if (value != NULL)
		format(ret, JSON_ESCAPED_SIZE, "\\%c", escapes[value - values]);
	else if (n == 0)
		format(ret, JSON_ESCAPED_SIZE, "\\u%04x", (unsigned char)*text);
	else
		format(ret, JSON_ESCAPED_SIZE, "%.*s", (int)n, text);
	return n > 0 ? n : 1;
}
