/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the line of a configuration that says where to fetch another one. It knows no quotes and no
 * joined lines: what is written with them is not found here, and hv/config refuses it.
 */
#include "boot/fetch_line.h"

#include <stddef.h>

/* What is left of a line. */
struct rest {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Take the next word; a comment is none. Its length is 0 at the end of the line. */
static struct fetch_line take_word(struct rest *rest)
{
	const char *start;

	while (rest->at < rest->end && is_blank(*rest->at))
		rest->at++;
	start = rest->at;
	if (start < rest->end && *start == '#')
		rest->at = rest->end;
	while (rest->at < rest->end && !is_blank(*rest->at))
		rest->at++;
	if (start < rest->end && *start == '#')
		return (struct fetch_line){};
	return (struct fetch_line){start, (uint64_t)(rest->at - start)};
}

/* Whether quotes and backslashes would make another word of it. */
static bool is_quoted(struct fetch_line word)
{
	for (uint64_t i = 0; i < word.len; i++)
		if (word.url[i] == '"' || word.url[i] == '\'' || word.url[i] == '\\')
			return true;
	return false;
}

static bool is_word(struct fetch_line word, const char *text)
{
	for (uint64_t i = 0; i < word.len; i++)
		if (text[i] != word.url[i]) /* also at the end of 'text' */
			return false;
	return text[word.len] == '\0';
}

static struct rest take_line(struct rest *text)
{
	struct rest line = {text->at, text->at};

	while (line.end < text->end && *line.end != '\n')
		line.end++;
	text->at = line.end + (line.end < text->end);
	return line;
}

struct fetch_line fetch_line_find(const char *text, uint64_t len)
{
	struct rest rest = {text, text + len};
	struct fetch_line found = {};

	while (rest.at < rest.end) {
		struct rest line = take_line(&rest);
		struct fetch_line word = take_word(&line);

		if (word.len == 0)
			continue;
		if (found.url != NULL || !is_word(word, "host") ||
		    !is_word(take_word(&line), "-fetch"))
			return (struct fetch_line){};
		found = take_word(&line);
		if (found.len == 0 || is_quoted(found) || take_word(&line).len > 0)
			return (struct fetch_line){};
	}
	return found;
}
