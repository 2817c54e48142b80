/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the bytes of a PC keyboard to the bytes of a terminal: letters, digits and signs of the US
 * layout, Shift, Ctrl and Caps Lock, and the sequences of a VT220 for the cursor's keys. Other keys
 * give nothing. Sources: IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard";
 * DEC VT220 Programmer Reference Manual, "Keyboard".
 */
#include "hv/host/scan_code.h"

enum {
	PREFIX_EXTENDED = 0xe0,
	PREFIX_PAUSE = 0xe1,
	PREFIX_RELEASED = 0xf0, /* set 2 */
	RELEASED = 0x80,	/* set 1 */
	KEY_ENTER = 0x1c,
	KEY_CTRL = 0x1d,
	KEY_SHIFT_LEFT = 0x2a,
	KEY_SLASH = 0x35,
	KEY_SHIFT_RIGHT = 0x36,
	KEY_CAPS_LOCK = 0x3a,
	KEY_F2 = 0x3c,
};

/* Keys with codes one after the other, in set 1. */
static const struct key_run {
	uint8_t first;
	const char *plain, *shifted;
} runs[] = {
	{0x01, "\033", "\033"},
	{0x02, "1234567890-=\177\t", "!@#$%^&*()_+\177\t"},
	{0x10, "qwertyuiop[]\r", "QWERTYUIOP{}\r"},
	{0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
	{0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
	{0x37, "*", "*"},
	{0x39, " ", " "},
	{0x47, "789-456+1230.", "789-456+1230."},
	{0x56, "\\", "|"},
};

/* The keys that move the cursor, by their code in set 1, and what follows the escape. */
static const struct cursor_key {
	uint8_t key;
	const char *sequence;
} cursor_keys[] = {
	{0x47, "[1~"}, /* Home */
	{0x48, "[A"},  /* up */
	{0x49, "[5~"}, /* page up */
	{0x4b, "[D"},  /* left */
	{0x4d, "[C"},  /* right */
	{0x4f, "[4~"}, /* End */
	{0x50, "[B"},  /* down */
	{0x51, "[6~"}, /* page down */
	{0x53, "[3~"}, /* Delete */
};

/* The table of the keyboard controller: codes of set 2 to those of set 1. */
static const uint8_t set_1_of[] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static char look_up(uint8_t key, bool shifted)
{
	for (unsigned i = 0; i < ARRAY_SIZE(runs); i++) {
		const char *keys = shifted ? runs[i].shifted : runs[i].plain;

		for (unsigned at = 0; keys[at] != '\0'; at++)
			if (runs[i].first + at == key)
				return keys[at];
	}
	return '\0';
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static int begin_sequence(struct scan_decoder *decoder, uint8_t key)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cursor_keys); i++) {
		if (cursor_keys[i].key == key) {
			decoder->rest = cursor_keys[i].sequence;
			return '\033';
		}
	}
	return -1;
}

static int character_of(struct scan_decoder *decoder, uint8_t key, bool extended)
{
	bool shifted = decoder->shift[0] || decoder->shift[1];
	char c;

	if (extended && key != KEY_ENTER && key != KEY_SLASH)
		return begin_sequence(decoder, key);
	if (key == KEY_F2)
		return SCAN_SWITCH;
	if (decoder->caps && is_letter(look_up(key, false)))
		shifted = !shifted;
	c = look_up(key, shifted && !extended);
	if ((decoder->ctrl[0] || decoder->ctrl[1]) && c >= '@' && c <= '~')
		c &= 0x1f;
	else if (c == '\0')
		return -1;
	return c;
}

/* True if the key changes what others mean. */
static bool is_modifier(struct scan_decoder *decoder, uint8_t key, bool extended, bool released)
{
	if (key == KEY_CTRL)
		decoder->ctrl[extended] = !released;
	else if (key == KEY_SHIFT_LEFT && !extended)
		decoder->shift[0] = !released;
	else if (key == KEY_SHIFT_RIGHT && !extended)
		decoder->shift[1] = !released;
	else if (key == KEY_CAPS_LOCK)
		decoder->caps ^= !released;
	else
		return false;
	return true;
}

static bool take_prefix(struct scan_decoder *decoder, uint8_t byte)
{
	if (byte == PREFIX_EXTENDED)
		decoder->extended = true;
	else if (byte == PREFIX_PAUSE)
		decoder->n_skip = 2;
	else if (byte == PREFIX_RELEASED && decoder->is_set_2)
		decoder->released = true;
	else
		return false;
	return true;
}

int scan_decode(struct scan_decoder *decoder, uint8_t byte)
{
	bool extended, released;

	if (take_prefix(decoder, byte))
		return -1;
	extended = decoder->extended;
	released = decoder->is_set_2 ? decoder->released : (byte & RELEASED) != 0;
	decoder->extended = decoder->released = false;
	if (decoder->n_skip > 0) {
		decoder->n_skip--;
		return -1;
	}
	if (decoder->is_set_2 && byte >= ARRAY_SIZE(set_1_of))
		return -1;
	byte = decoder->is_set_2 ? set_1_of[byte] : byte & (RELEASED - 1);
	if (is_modifier(decoder, byte, extended, released) || released)
		return -1;
	return character_of(decoder, byte, extended);
}

int scan_rest(struct scan_decoder *decoder)
{
	return decoder->rest != NULL && *decoder->rest != '\0' ? *decoder->rest++ : -1;
}
