/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/backends/suggest.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Longer words are not compared. */
#define WORD_MAX 40

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool alike(const char *a, const char *b)
{
	return lower(*a) == lower(*b);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * The Damerau-Levenshtein distance, without edits between two swapped characters. The rows of the
 * matrix are the prefixes of 'a'; three of them are kept.
 */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			const char *p = a + i - 1, *q = b + j - 1;

			row[j] = least(least(last[j], row[j - 1]) + 1,
				       last[j - 1] + (alike(p, q) ? 0 : 1));
			if (i > 1 && j > 1 && alike(p, q - 1) && alike(p - 1, q))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

static unsigned slips_allowed(size_t len)
{
	if (len < 3)
		return 0;
	if (len < 6)
		return 1;
	return len < 12 ? 2 : 3;
}

struct suggestion suggest(const char *word, size_t len)
{
	return (struct suggestion){.word = word, .word_len = len, .distance = UINT32_MAX};
}

static void offer(struct suggestion *suggestion, const char *name, size_t len)
{
	unsigned n;

	if (len > WORD_MAX || suggestion->word_len > WORD_MAX)
		return;
	n = distance(suggestion->word, suggestion->word_len, name, len);
	if (n > slips_allowed(len) || n >= suggestion->distance)
		return;
	suggestion->name = name;
	suggestion->len = len;
	suggestion->distance = n;
}

void suggest_name(struct suggestion *suggestion, const char *name)
{
	offer(suggestion, name, strlen(name));
}

void suggest_list(struct suggestion *suggestion, const char *names)
{
	while (*names != '\0') {
		size_t len = 0;

		while (names[len] != '\0' && names[len] != ' ')
			len++;
		offer(suggestion, names, len);
		names += len + (names[len] == ' ');
	}
}

bool suggest_is(const struct suggestion *suggestion, const char *name)
{
	return suggestion->name != NULL && strlen(name) == suggestion->len &&
	       memcmp(suggestion->name, name, suggestion->len) == 0;
}

void suggest_tell(const struct suggestion *suggestion, const char *prefix, struct diag *diag)
{
	if (suggestion->name != NULL)
		diag_advice(diag, "did you mean '%s%.*s'?", prefix, (int)suggestion->len,
			    suggestion->name);
}

void suggest_from(const char *names, const char *word, struct diag *diag)
{
	struct suggestion suggestion = suggest(word, strlen(word));

	suggest_list(&suggestion, names);
	if (suggestion.name != NULL)
		suggest_tell(&suggestion, "", diag);
	else
		diag_advice(diag, "possible names: %s", names);
}

void suggest_value(const char *const *values, const char *word, struct diag *diag)
{
	struct suggestion suggestion = suggest(word, strlen(word));
	char list[DIAG_MESSAGE_MAX] = "";
	size_t len = 0;

	for (unsigned i = 0; values[i] != NULL && len < sizeof(list); i++) {
		suggest_name(&suggestion, values[i]);
		len += format(list + len, sizeof(list) - len, "%s'%s'", i > 0 ? ", " : "",
			      values[i]);
	}
	suggest_tell(&suggestion, "", diag);
	diag_advice(diag, "possible values: %s", list);
}

static const char *last_part(const char *path)
{
	for (const char *at = path; *at != '\0'; at++)
		if (*at == '/')
			path = at + 1;
	return path;
}

void suggest_file(const struct image *images, const char *path, struct diag *diag)
{
	const char *wanted = last_part(path), *found = NULL;
	struct suggestion near = suggest(wanted, strlen(wanted));

	for (; images != NULL; images = images->next) {
		if (images->type != IMAGE_FILE)
			continue;
		suggest_name(&near, last_part(images->path));
		if (near.name == last_part(images->path))
			found = images->path;
	}
	if (found != NULL)
		diag_advice(diag, "did you mean '%s'? Paths are names in the ramdisk", found);
	else
		diag_advice(diag, "paths are names in the ramdisk");
}
