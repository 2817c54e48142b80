/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/status_keys.h"

#define ESCAPE '\033'

/* ESC [ and one of these letters, or a number and a tilde: DEC VT220 and xterm. */
static const struct sequence {
	char letter, number;
	uint8_t key;
} sequences[] = {
	{'A', 0, STATUS_KEY_UP},	{'B', 0, STATUS_KEY_DOWN},
	{'H', 0, STATUS_KEY_HOME},	{'F', 0, STATUS_KEY_END},
	{'~', '1', STATUS_KEY_HOME},	{'~', '4', STATUS_KEY_END},
	{'~', '5', STATUS_KEY_PAGE_UP}, {'~', '6', STATUS_KEY_PAGE_DOWN},
	{'~', '7', STATUS_KEY_HOME},	{'~', '8', STATUS_KEY_END},
};

static enum status_key look_up(char letter, char number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++)
		if (sequences[i].letter == letter &&
		    (sequences[i].number == 0 || sequences[i].number == number))
			return (enum status_key)sequences[i].key;
	return STATUS_KEY_NONE;
}

static enum status_key begin_escape(struct status_keys *keys, uint64_t now)
{
	keys->state = STATUS_KEYS_ESCAPE;
	keys->since = now;
	return STATUS_KEY_NONE;
}

static enum status_key type_plain(struct status_keys *keys, char c, uint64_t now)
{
	switch (c) {
	case ESCAPE:
		return begin_escape(keys, now);
	case '\r':
	case '\n':
		return STATUS_KEY_ENTER;
	case 'q':
		return STATUS_KEY_BACK;
	default:
		return STATUS_KEY_NONE;
	}
}

/* The escape was the key Esc, unless a sequence begins. */
static enum status_key type_after_escape(struct status_keys *keys, char c, uint64_t now)
{
	keys->number = 0;
	keys->state = STATUS_KEYS_PLAIN;
	if (c == ESCAPE)
		(void)begin_escape(keys, now);
	else if (c == '[' || c == 'O')
		keys->state = STATUS_KEYS_SEQUENCE;
	return keys->state == STATUS_KEYS_SEQUENCE ? STATUS_KEY_NONE : STATUS_KEY_BACK;
}

static enum status_key type_in_sequence(struct status_keys *keys, char c)
{
	if (keys->number == 0)
		keys->number = c;
	if (c < '@' || c > '~')
		return STATUS_KEY_NONE;
	keys->state = STATUS_KEYS_PLAIN;
	return look_up(c, keys->number);
}

enum status_key status_keys_type(struct status_keys *keys, uint8_t byte, uint64_t now)
{
	switch (keys->state) {
	case STATUS_KEYS_ESCAPE:
		return type_after_escape(keys, (char)byte, now);
	case STATUS_KEYS_SEQUENCE:
		return type_in_sequence(keys, (char)byte);
	default:
		return type_plain(keys, (char)byte, now);
	}
}

enum status_key status_keys_wait(struct status_keys *keys, uint64_t now, uint64_t limit)
{
	if (keys->state != STATUS_KEYS_ESCAPE || now - keys->since < limit)
		return STATUS_KEY_NONE;
	keys->state = STATUS_KEYS_PLAIN;
	return STATUS_KEY_BACK;
}
