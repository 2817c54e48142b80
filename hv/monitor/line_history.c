/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/line_history.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

/* Where the line before the one that begins at 'at' begins. 'at' is not 0. */
static size_t line_before(const struct line_history *history, size_t at)
{
	for (at--; at > 0 && history->text[at - 1] != '\0';)
		at--;
	return at;
}

static size_t size_at(const struct line_history *history, size_t at)
{
	return strlen(history->text + at) + 1;
}

static bool is_newest(const struct line_history *history, const char *line)
{
	return history->len > 0 &&
	       strcmp(history->text + line_before(history, history->len), line) == 0;
}

static void drop_oldest(struct line_history *history)
{
	size_t size = size_at(history, 0);

	history->len -= size;
	memmove(history->text, history->text + size, history->len);
}

void line_history_add(struct line_history *history, const char *line)
{
	size_t size = strlen(line) + 1;

	assert(size <= LINE_HISTORY_SIZE);
	if (*line != '\0' && !is_newest(history, line)) {
		while (history->len + size > LINE_HISTORY_SIZE)
			drop_oldest(history);
		memcpy(history->text + history->len, line, size);
		history->len += size;
	}
	history->at = history->len;
}

const char *line_history_older(struct line_history *history)
{
	if (history->at == 0)
		return NULL;
	history->at = line_before(history, history->at);
	return history->text + history->at;
}

const char *line_history_newer(struct line_history *history)
{
	if (history->at == history->len)
		return NULL;
	history->at += size_at(history, history->at);
	return history->at < history->len ? history->text + history->at : "";
}
