/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sequences of a VT220 and of its kin: ESC [, digits, a letter or '~'; or ESC O and a letter.
 * Source: ECMA-48, "Control sequences".
 */
#include "hv/monitor/escape.h"

enum { TEXT, AFTER_ESCAPE, IN_SEQUENCE };
enum { ESCAPE = 0x1b, NUMBER_OTHER = 10 };

static const struct sequence {
	char final;
	uint8_t number; /* matters for '~' only */
	char meaning;
} sequences[] = {
	{'A', 0, CTRL_P}, {'B', 0, CTRL_N}, {'C', 0, CTRL_F}, {'D', 0, CTRL_B},
	{'H', 0, CTRL_A}, {'F', 0, CTRL_E}, {'~', 1, CTRL_A}, {'~', 3, CTRL_D},
	{'~', 4, CTRL_E}, {'~', 7, CTRL_A}, {'~', 8, CTRL_E},
};

static int meaning_of(uint8_t final, uint8_t number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++)
		if (sequences[i].final == final && (final != '~' || sequences[i].number == number))
			return sequences[i].meaning;
	return -1;
}

static void begin(struct escape *escape, uint8_t state)
{
	*escape = (struct escape){.state = state};
}

static int take_of_sequence(struct escape *escape, uint8_t byte)
{
	uint8_t number = escape->number;

	if (byte >= '@' && byte <= '~') {
		begin(escape, TEXT);
		return meaning_of(byte, number);
	}
	if (byte < '0' || byte > '9')
		escape->number = NUMBER_OTHER;
	else if (number < NUMBER_OTHER)
		escape->number = (uint8_t)(number * 10 + byte - '0');
	return -1;
}

int escape_take(struct escape *escape, uint8_t byte)
{
	if (byte == ESCAPE) {
		begin(escape, AFTER_ESCAPE);
		return -1;
	}
	if (byte < ' ')
		begin(escape, TEXT);
	if (escape->state == TEXT)
		return byte;
	if (escape->state == IN_SEQUENCE)
		return take_of_sequence(escape, byte);
	begin(escape, byte == '[' || byte == 'O' ? IN_SEQUENCE : TEXT);
	return -1;
}
