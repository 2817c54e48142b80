/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/gdb/text.h"

#include <stdarg.h>

#include "hv/lib/print.h"
#include "hv/lib/string.h"

void gdb_put(struct gdb_reply *reply, const char *fmt, ...)
{
	size_t room = sizeof(reply->text) - reply->len, len;
	va_list args;

	va_start(args, fmt);
	len = format_v(reply->text + reply->len, room, fmt, args);
	va_end(args);
	if (len < room)
		reply->len += len;
	else
		reply->is_cut = true;
}

void gdb_put_bytes(struct gdb_reply *reply, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		gdb_put(reply, "%02x", at[i]);
}

void gdb_show(struct gdb_window *window, const char *fmt, ...)
{
	char text[256];
	size_t len, from;
	va_list args;

	va_start(args, fmt);
	len = format_v(text, sizeof(text), fmt, args);
	va_end(args);
	len = len < sizeof(text) ? len : sizeof(text) - 1;
	from = window->skip < len ? (size_t)window->skip : len;
	window->skip -= from;
	for (; from < len; from++) {
		if (window->left == 0 || window->reply->len == sizeof(window->reply->text)) {
			window->has_more = true;
			return;
		}
		window->reply->text[window->reply->len++] = text[from];
		window->left--;
	}
}

bool gdb_read_number(const char **at, uint64_t *ret)
{
	unsigned n = 0;

	for (*ret = 0; gdb_digit(**at) < 16; ++*at, n++)
		*ret = *ret << 4 | gdb_digit(**at);
	return n > 0 && n <= 16;
}

bool gdb_read_bytes(const char **at, void *ret, size_t len)
{
	uint8_t *to = ret;

	for (size_t i = 0; i < len; i++, *at += 2) {
		if (gdb_digit((*at)[0]) > 15 || gdb_digit((*at)[1]) > 15)
			return false;
		to[i] = (uint8_t)(gdb_digit((*at)[0]) << 4 | gdb_digit((*at)[1]));
	}
	return true;
}

bool gdb_read_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* A number, or -1 for all. */
static bool read_id(const char **at, uint32_t *ret)
{
	uint64_t value;

	if (gdb_read_word(at, "-1")) {
		*ret = GDB_ALL;
		return true;
	}
	if (!gdb_read_number(at, &value) || value >= GDB_ALL)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool gdb_read_thread(const char **at, uint32_t pid, struct gdb_thread *ret)
{
	*ret = (struct gdb_thread){pid, GDB_ALL};
	if (!gdb_read_word(at, "p"))
		return read_id(at, &ret->tid);
	if (!read_id(at, &ret->pid))
		return false;
	return !gdb_read_word(at, ".") || read_id(at, &ret->tid);
}
