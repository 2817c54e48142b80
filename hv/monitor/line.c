/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's line editor, and the splitting of the line. All that is asked of the terminal is
 * that backspace moves the cursor to the left.
 */
#include "hv/monitor/line.h"

#include "hv/lib/string.h"

enum {
	BACKSPACE = '\b',
	TAB = '\t',
	CTRL_K = 'K' & 0x1f,
	CTRL_U = 'U' & 0x1f,
	CTRL_W = 'W' & 0x1f,
	DELETE = 0x7f,
};

/* One byte for each column from 'from' up to 'to'. */
static size_t fill(char *echo, size_t at, char c, size_t from, size_t to)
{
	for (; from < to; from++)
		echo[at++] = c;
	return at;
}

/*
 * Show the characters from 'from' on, where the terminal's cursor is, and blanks up to the old
 * length; then return to the line's cursor.
 */
static size_t show_from(const struct monitor_line *line, size_t from, size_t old_len, char *echo,
			size_t at)
{
	memcpy(echo + at, line->text + from, line->len - from);
	at = fill(echo, at + line->len - from, ' ', line->len, old_len);
	return fill(echo, at, BACKSPACE, line->cursor, line->len > old_len ? line->len : old_len);
}

struct span {
	size_t from, to;
};

/*
 * Put n bytes, if there is room, in the place of a span of the line, in which the cursor is; it
 * then stands after them.
 */
static size_t replace(struct monitor_line *line, struct span span, const char *text, size_t n,
		      char *echo)
{
	size_t from = span.from, to = span.to, old_len = line->len;
	size_t new_len = old_len - (to - from) + n, at;

	if (new_len >= MONITOR_LINE_SIZE)
		return 0;
	at = fill(echo, 0, BACKSPACE, from, line->cursor);
	memmove(line->text + from + n, line->text + to, old_len - to + 1);
	memcpy(line->text + from, text, n);
	line->len = (unsigned)new_len;
	line->cursor = (unsigned)(from + n);
	return show_from(line, from, old_len, echo, at);
}

static size_t erase(struct monitor_line *line, size_t from, size_t to, char *echo)
{
	return from < to ? replace(line, (struct span){from, to}, "", 0, echo) : 0;
}

static size_t move(struct monitor_line *line, size_t to, char *echo)
{
	size_t from = line->cursor;

	line->cursor = (unsigned)to;
	if (to < from)
		return fill(echo, 0, BACKSPACE, to, from);
	memcpy(echo, line->text + from, to - from);
	return to - from;
}

/* Where the word before the cursor begins. */
static size_t word_before(const struct monitor_line *line)
{
	size_t at = line->cursor;

	while (at > 0 && line->text[at - 1] == ' ')
		at--;
	while (at > 0 && line->text[at - 1] != ' ')
		at--;
	return at;
}

static size_t edit(struct monitor_line *line, uint8_t key, char *echo)
{
	size_t cursor = line->cursor, before = cursor - (cursor > 0);
	size_t after = cursor + (cursor < line->len);

	switch (key) {
	case CTRL_A:
		return move(line, 0, echo);
	case CTRL_B:
		return move(line, before, echo);
	case CTRL_F:
		return move(line, after, echo);
	case CTRL_E:
		return move(line, line->len, echo);
	case BACKSPACE:
	case DELETE:
		return erase(line, before, cursor, echo);
	case CTRL_D:
		return erase(line, cursor, after, echo);
	case CTRL_U:
		return erase(line, 0, cursor, echo);
	case CTRL_W:
		return erase(line, word_before(line), cursor, echo);
	case CTRL_K:
		return erase(line, cursor, line->len, echo);
	default:
		return 0;
	}
}

static size_t enter(struct monitor_line *line, bool is_return, char *echo, enum line_event *ret)
{
	bool is_second = !is_return && line->ends;

	line->ends = is_return;
	if (is_second)
		return 0;
	*ret = LINE_ENTERED;
	*echo = '\n';
	return 1;
}

static enum line_event event_of(int key)
{
	switch (key) {
	case CTRL_P:
		return LINE_OLDER;
	case CTRL_N:
		return LINE_NEWER;
	case TAB:
		return LINE_COMPLETE;
	default:
		return LINE_CHANGED;
	}
}

size_t monitor_line_type(struct monitor_line *line, uint8_t byte, char echo[MONITOR_ECHO_SIZE],
			 enum line_event *ret_event)
{
	int key = escape_take(&line->escape, byte);
	char c = (char)key;

	*ret_event = event_of(key);
	if (key == '\r' || key == '\n')
		return enter(line, key == '\r', echo, ret_event);
	line->ends = false;
	if (key < 0)
		return 0;
	if (key >= ' ' && key <= '~')
		return monitor_line_insert(line, &c, 1, echo);
	return edit(line, (uint8_t)key, echo);
}

size_t monitor_line_set(struct monitor_line *line, const char *text, char echo[MONITOR_ECHO_SIZE])
{
	return replace(line, (struct span){0, line->len}, text, strlen(text), echo);
}

size_t monitor_line_insert(struct monitor_line *line, const char *text, size_t len,
			   char echo[MONITOR_ECHO_SIZE])
{
	size_t room = MONITOR_LINE_SIZE - 1 - line->len;

	return replace(line, (struct span){line->cursor, line->cursor}, text,
		       len < room ? len : room, echo);
}

size_t monitor_line_show(const struct monitor_line *line, char echo[MONITOR_ECHO_SIZE])
{
	return show_from(line, 0, line->len, echo, 0);
}

void monitor_line_clear(struct monitor_line *line)
{
	line->len = line->cursor = 0;
	line->text[0] = '\0';
}

/* The word that begins at '*text', which moves past the word. NULL: its quote does not end. */
static char *take_word(char **text)
{
	char *from = *text, *to = from, *word = from;
	bool quoted = false;

	for (; *from != '\0' && (quoted || *from != ' '); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	if (quoted)
		return NULL;
	*text = *from == '\0' ? from : from + 1;
	*to = '\0';
	return word;
}

enum status monitor_split(char *text, const char *ret_words[MONITOR_WORDS_MAX], size_t *ret_n)
{
	size_t n = 0;

	for (;;) {
		while (*text == ' ')
			text++;
		if (*text == '\0')
			break;
		if (n == MONITOR_WORDS_MAX)
			return ERR_RANGE;
		ret_words[n] = take_word(&text);
		if (ret_words[n++] == NULL)
			return ERR_CORRUPT;
	}
	*ret_n = n;
	return OK;
}
