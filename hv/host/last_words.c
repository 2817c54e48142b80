/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of a panic in a frame that the next run finds again. The frame's bytes are not
 * trusted: anything may have written there since.
 */
#include "hv/host/last_words.h"

#include "hv/lib/crc32.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define LAST_WORDS_MAGIC UINT64_C(0x74736f6d6e657473)

enum { TEXT_SIZE = PAGE_SIZE - 16, LINE_SIZE = 200 };

struct last_words {
	uint64_t magic;
	uint32_t len;
	uint32_t checksum; /* of the text's len bytes */
	char text[TEXT_SIZE];
};
_Static_assert(sizeof(struct last_words) == PAGE_SIZE, "a frame");

static struct last_words *words; /* constant after last_words_init(); NULL: none */
static bool is_open;

static bool is_sound(const struct last_words *w)
{
	return w->magic == LAST_WORDS_MAGIC && w->len > 0 && w->len <= TEXT_SIZE &&
	       crc32_add(0, w->text, w->len) == w->checksum;
}

/* The line at 'text', without its end and without what a terminal might obey. Returns its length.
 */
static size_t copy_line(const char *text, size_t len, char line[LINE_SIZE])
{
	size_t n = 0;

	for (; n < len && text[n] != '\n'; n++)
		if (n < LINE_SIZE - 1)
			line[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
	line[n < LINE_SIZE - 1 ? n : LINE_SIZE - 1] = '\0';
	return n;
}

void last_words_init(void *frame)
{
	char line[LINE_SIZE];

	words = frame;
	if (words == NULL || !is_sound(words))
		return;
	log_warning("the last run ended with a panic:");
	for (size_t at = 0; at < words->len; at++) {
		at += copy_line(words->text + at, words->len - at, line);
		log_warning("last run: %s", line);
	}
	words->magic = 0;
}

void last_words_begin(void)
{
	if (words == NULL)
		return;
	words->magic = LAST_WORDS_MAGIC;
	words->len = 0;
	is_open = true;
}

void last_words_add(const char *data, size_t len)
{
	if (!is_open || len > TEXT_SIZE - words->len)
		return;
	memcpy(words->text + words->len, data, len);
	words->len += (uint32_t)len;
	words->checksum = crc32_add(0, words->text, words->len);
}

void last_words_end(void)
{
	is_open = false;
}
