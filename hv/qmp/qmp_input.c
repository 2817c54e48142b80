/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_input.h"

enum { SYNC = 0xff };

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* In a string; whether it is a whole message: no control character is in a string. */
static bool ends_in_string(struct qmp_input *input, uint8_t byte)
{
	if (byte < ' ')
		return true;
	if (!input->is_escaped && byte == (uint8_t)input->quote)
		input->quote = '\0';
	input->is_escaped = !input->is_escaped && byte == '\\';
	return false;
}

static bool ends(struct qmp_input *input, uint8_t byte)
{
	if (input->quote != '\0')
		return ends_in_string(input, byte);
	switch (byte) {
	case '"':
	case '\'':
		input->quote = (char)byte;
		return false;
	case '{':
	case '[':
		input->depth++;
		return false;
	case '}':
	case ']':
		return input->depth <= 1 || --input->depth == 0;
	case '\n':
		return input->depth == 0;
	default:
		return byte < ' ' && !is_blank(byte);
	}
}

enum qmp_input_state qmp_input_add(struct qmp_input *input, uint8_t byte)
{
	if (byte == SYNC)
		return QMP_INPUT_SYNC;
	if (input->len == 0 && is_blank(byte))
		return QMP_INPUT_PART;
	if (input->len == QMP_INPUT_MAX)
		return QMP_INPUT_TOO_LONG;
	input->text[input->len++] = (char)byte;
	input->text[input->len] = '\0';
	return ends(input, byte) ? QMP_INPUT_WHOLE : QMP_INPUT_PART;
}

void qmp_input_clear(struct qmp_input *input)
{
	input->len = input->depth = 0;
	input->quote = '\0';
	input->is_escaped = false;
	input->text[0] = '\0';
}
