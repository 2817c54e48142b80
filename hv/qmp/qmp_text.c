/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_text.h"

#include "hv/backends/json_escape.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum { AFTER_STRING = 512 };

void qmp_put(struct qmp_text *to, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	to->len += format_v(to->text + to->len, sizeof(to->text) - to->len, fmt, args);
	va_end(args);
	assert(to->len <= QMP_TEXT_MAX);
}

void qmp_put_string(struct qmp_text *to, const char *text)
{
	size_t len = strlen(text);
	char escaped[JSON_ESCAPED_SIZE];

	qmp_put(to, "\"");
	for (size_t i = 0; i < len && to->len < QMP_TEXT_MAX - AFTER_STRING;) {
		i += json_escape(text + i, len - i, escaped);
		qmp_put(to, "%s", escaped);
	}
	qmp_put(to, "\"");
}
