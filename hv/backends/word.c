/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From bytes to words, quoted as in a POSIX shell. A word stores where its source begins, not where
 * each byte came from: word_place() reads the source again, which costs time only when there is a
 * message. Variables, globs and operators are ordinary text.
 */
#include "hv/backends/word.h"

#include "hv/backends/utf8.h"
#include "hv/lib/string.h"

#define LINE_BYTES_MAX 16384

/* A walk over the source of one word, which skips quotes and joins lines. */
struct reader {
	struct word_cursor cursor;
	struct word_cursor opened; /* the quote that is open */
	size_t line_at;		   /* where the logical line begins */
	size_t n_rest;		   /* bytes left of a character that is checked */
	char quote;		   /* ' or "; 0: outside quotes */
};

enum unit { UNIT_BYTE, UNIT_END, UNIT_BAD };

struct word_cursor word_cursor(const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";
	bool marked = len >= 3 && memcmp(text, mark, 3) == 0;

	if (marked)
		return (struct word_cursor){.text = text + 3, .len = len - 3, .line = 1};
	return (struct word_cursor){.text = text, .len = len, .line = 1};
}

struct diag_place word_cursor_place(const struct word_cursor *cursor)
{
	return (struct diag_place){cursor->line, (unsigned)(cursor->at - cursor->line_start) + 1};
}

/* The length of the line end 'ahead' bytes from the cursor; 0: there is none. */
static size_t line_end(const struct word_cursor *cursor, size_t ahead)
{
	const char *p = cursor->text + cursor->at + ahead;
	size_t left = cursor->len - cursor->at;

	if (ahead < left && p[0] == '\n')
		return 1;
	return ahead < left && left - ahead >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

static bool at_line_end(const struct word_cursor *cursor)
{
	return cursor->at == cursor->len || line_end(cursor, 0) != 0;
}

static char peek(const struct word_cursor *cursor)
{
	return cursor->text[cursor->at];
}

static void next_line(struct word_cursor *cursor, size_t skip)
{
	cursor->at += skip;
	cursor->line_start = cursor->at;
	cursor->line++;
}

/* Skip a backslash at the end of a line, together with the line end. */
static bool join_line(struct word_cursor *cursor)
{
	size_t end = peek(cursor) == '\\' ? line_end(cursor, 1) : 0;

	if (end == 0)
		return false;
	next_line(cursor, 1 + end);
	return true;
}

/*
 * The length of a backslash and the blanks after it, up to the end of the line: it was meant to
 * join the next one, and escapes a blank instead. 0: there is none at the cursor.
 */
static size_t failed_join(const struct word_cursor *cursor)
{
	const char *p = cursor->text + cursor->at;
	size_t left = cursor->len - cursor->at, len = 1;

	if (*p != '\\')
		return 0;
	while (len < left && (p[len] == ' ' || p[len] == '\t'))
		len++;
	return len > 1 && (len == left || line_end(cursor, len) != 0) ? len : 0;
}

/* Skip a quote that opens or closes at the cursor. False: there is none. */
static bool eat_quote(struct reader *reader)
{
	char c = peek(&reader->cursor);

	if ((c != '\'' && c != '"') || (reader->quote != 0 && reader->quote != c))
		return false;
	reader->opened = reader->cursor;
	if (reader->quote == c)
		reader->quote = '\0';
	else
		reader->quote = c;
	reader->cursor.at++;
	return true;
}

/* Whether the backslash at the cursor escapes what follows it. */
static bool is_escape(const struct reader *reader)
{
	const struct word_cursor *cursor = &reader->cursor;

	if (peek(cursor) != '\\' || reader->quote == '\'')
		return false;
	if (cursor->at + 1 == cursor->len)
		return false;
	return reader->quote == 0 || (cursor->text[cursor->at + 1] != '\0' &&
				      strchr("$`\"\\", cursor->text[cursor->at + 1]) != NULL);
}

/*
 * Move the cursor to the next byte of the word, which the caller takes by reader_take()
 * (UNIT_BYTE), to the end of the word (UNIT_END), or to what ends the word too early (UNIT_BAD).
 */
static enum unit reader_stop(struct reader *reader)
{
	struct word_cursor *cursor = &reader->cursor;

	if (reader->n_rest > 0)
		return UNIT_BYTE;
	for (;;) {
		if (cursor->at - reader->line_at > LINE_BYTES_MAX)
			return UNIT_BAD;
		if (at_line_end(cursor))
			return reader->quote == 0 ? UNIT_END : UNIT_BAD;
		if (reader->quote != '\'' && join_line(cursor))
			continue;
		if (eat_quote(reader))
			continue;
		break;
	}
	if (reader->quote == 0 && (peek(cursor) == ' ' || peek(cursor) == '\t'))
		return UNIT_END;
	if (is_escape(reader)) {
		if (reader->quote == 0 && failed_join(cursor) != 0)
			return UNIT_BAD;
		cursor->at++;
	}
	reader->n_rest = utf8_printable(cursor->text + cursor->at, cursor->len - cursor->at);
	if (reader->n_rest == 0 && peek(cursor) == '\t')
		reader->n_rest = 1;
	return reader->n_rest == 0 ? UNIT_BAD : UNIT_BYTE;
}

static char reader_take(struct reader *reader)
{
	reader->n_rest--;
	return reader->cursor.text[reader->cursor.at++];
}

static void report_bad(const struct reader *reader, struct diag *diag)
{
	const struct word_cursor *cursor = &reader->cursor;
	struct diag_place place = word_cursor_place(cursor);
	uint8_t byte;

	if (cursor->at - reader->line_at > LINE_BYTES_MAX) {
		diag_error(diag, place, "line is longer than %d bytes", LINE_BYTES_MAX);
		return;
	}
	if (at_line_end(cursor)) {
		diag_error(diag, word_cursor_place(&reader->opened), "unterminated %c quote",
			   reader->quote);
		return;
	}
	byte = (uint8_t)peek(cursor);
	if (byte == '\\')
		diag_error(diag, place,
			   "a blank follows the backslash at the end of the line: remove it");
	else if (byte < 0x80)
		diag_error(diag, place, "control character 0x%02x", byte);
	else
		diag_error(diag, place, "byte 0x%02x is not part of printable UTF-8 text", byte);
}

/* Join the lines, as the writer meant. False: the cursor is not at a failed join. */
static bool join_anyway(struct word_cursor *cursor)
{
	size_t len = failed_join(cursor);

	cursor->at += len;
	if (len > 0 && cursor->at < cursor->len)
		next_line(cursor, line_end(cursor, 0));
	return len > 0;
}

/* Move past the logical line, whatever is in it. */
static void skip_line(struct word_cursor *cursor)
{
	while (!at_line_end(cursor)) {
		if (!join_line(cursor) && !join_anyway(cursor))
			cursor->at++;
	}
	if (cursor->at < cursor->len)
		next_line(cursor, line_end(cursor, 0));
}

static void skip_blanks(struct word_cursor *cursor)
{
	while (!at_line_end(cursor)) {
		if (peek(cursor) == ' ' || peek(cursor) == '\t')
			cursor->at++;
		else if (!join_line(cursor))
			return;
	}
}

/* A comment ends with its line, even after a backslash. */
static void skip_comment(struct word_cursor *cursor)
{
	if (at_line_end(cursor) || peek(cursor) != '#')
		return;
	while (!at_line_end(cursor))
		cursor->at++;
}

/* Read the word at the cursor, which is not at a blank. Moves the cursor past the word. */
static enum status read_word(struct word_cursor *cursor, size_t line_at, struct arena *arena,
			     struct diag *diag, struct word **ret)
{
	struct reader reader = {.cursor = *cursor, .line_at = line_at};
	struct word *word = arena_alloc(arena, sizeof(*word));
	enum unit unit;
	char *text;

	if (word == NULL)
		return ERR_NOMEM;
	word->start = *cursor;
	while ((unit = reader_stop(&reader)) == UNIT_BYTE) {
		reader_take(&reader);
		word->len++;
	}
	if (unit == UNIT_BAD) {
		report_bad(&reader, diag);
		return ERR_INVAL;
	}
	text = arena_alloc(arena, word->len + 1);
	if (text == NULL)
		return ERR_NOMEM;
	*cursor = reader.cursor;
	word->text = text;
	*ret = word;
	if (cursor->at - word->start.at == word->len) { /* no quotes, no backslashes */
		memcpy(text, word->start.text + word->start.at, word->len);
		return OK;
	}
	reader = (struct reader){.cursor = word->start, .line_at = line_at};
	while (reader_stop(&reader) == UNIT_BYTE)
		*text++ = reader_take(&reader);
	return OK;
}

enum status word_read_line(struct word_cursor *cursor, struct arena *arena, struct diag *diag,
			   struct word **ret)
{
	struct word *first = NULL, **tail = &first;
	size_t line_at = cursor->at;
	enum status status = OK;

	for (;;) {
		skip_blanks(cursor);
		skip_comment(cursor);
		if (at_line_end(cursor))
			break;
		status = read_word(cursor, line_at, arena, diag, tail);
		if (status != OK)
			break;
		tail = &(*tail)->next;
	}
	skip_line(cursor);
	if (status == OK)
		*ret = first;
	return status;
}

struct diag_place word_place(const struct word *word, size_t index)
{
	struct reader reader = {.cursor = word->start, .line_at = word->start.at};

	while (reader_stop(&reader) == UNIT_BYTE && index > 0) {
		reader_take(&reader);
		index--;
	}
	return word_cursor_place(&reader.cursor);
}
