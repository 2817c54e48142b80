/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's line editor, and the splitting of the line. No history, no cursor keys. */
#include "hv/monitor/line.h"

#include "hv/lib/string.h"

enum { BACKSPACE = 0x08, CTRL_U = 'U' & 0x1f, DELETE = 0x7f };

/* Erases the last character on a terminal. */
static const char rub_out[] = "\b \b";

static size_t erase(struct monitor_line *line, size_t n, char *echo)
{
	size_t len = 0;

	for (; n > 0 && line->len > 0; n--) {
		memcpy(echo + len, rub_out, sizeof(rub_out) - 1);
		len += sizeof(rub_out) - 1;
		line->len--;
	}
	line->text[line->len] = '\0';
	return len;
}

static size_t enter(struct monitor_line *line, uint8_t byte, char *echo, bool *ret_entered)
{
	bool is_second = byte == '\n' && line->ends;

	line->ends = byte == '\r';
	if (is_second)
		return 0;
	*ret_entered = true;
	*echo = '\n';
	return 1;
}

size_t monitor_line_type(struct monitor_line *line, uint8_t byte, char echo[MONITOR_ECHO_SIZE],
			 bool *ret_entered)
{
	*ret_entered = false;
	if (byte == '\r' || byte == '\n')
		return enter(line, byte, echo, ret_entered);
	line->ends = false;
	if (byte == BACKSPACE || byte == DELETE)
		return erase(line, 1, echo);
	if (byte == CTRL_U)
		return erase(line, line->len, echo);
	if (byte < ' ' || byte > '~' || line->len == MONITOR_LINE_SIZE - 1)
		return 0;
	*echo = (char)byte;
	line->text[line->len++] = (char)byte;
	line->text[line->len] = '\0';
	return 1;
}

void monitor_line_clear(struct monitor_line *line)
{
	line->len = 0;
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
