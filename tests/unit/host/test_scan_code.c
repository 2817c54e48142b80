/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/scan_code.h"

#include <string.h>

#include "tests/unit/support.h"

enum { E0 = 0xe0, E1 = 0xe1, F0 = 0xf0 };

/* The keys of the US layout: unshifted and shifted character, code in set 1 and in set 2. */
static const struct key {
	char plain, shifted;
	uint8_t set_1, set_2;
} keys[] = {
	{'a', 'A', 0x1e, 0x1c},
	{'b', 'B', 0x30, 0x32},
	{'c', 'C', 0x2e, 0x21},
	{'d', 'D', 0x20, 0x23},
	{'e', 'E', 0x12, 0x24},
	{'f', 'F', 0x21, 0x2b},
	{'g', 'G', 0x22, 0x34},
	{'h', 'H', 0x23, 0x33},
	{'i', 'I', 0x17, 0x43},
	{'j', 'J', 0x24, 0x3b},
	{'k', 'K', 0x25, 0x42},
	{'l', 'L', 0x26, 0x4b},
	{'m', 'M', 0x32, 0x3a},
	{'n', 'N', 0x31, 0x31},
	{'o', 'O', 0x18, 0x44},
	{'p', 'P', 0x19, 0x4d},
	{'q', 'Q', 0x10, 0x15},
	{'r', 'R', 0x13, 0x2d},
	{'s', 'S', 0x1f, 0x1b},
	{'t', 'T', 0x14, 0x2c},
	{'u', 'U', 0x16, 0x3c},
	{'v', 'V', 0x2f, 0x2a},
	{'w', 'W', 0x11, 0x1d},
	{'x', 'X', 0x2d, 0x22},
	{'y', 'Y', 0x15, 0x35},
	{'z', 'Z', 0x2c, 0x1a},
	{'1', '!', 0x02, 0x16},
	{'2', '@', 0x03, 0x1e},
	{'3', '#', 0x04, 0x26},
	{'4', '$', 0x05, 0x25},
	{'5', '%', 0x06, 0x2e},
	{'6', '^', 0x07, 0x36},
	{'7', '&', 0x08, 0x3d},
	{'8', '*', 0x09, 0x3e},
	{'9', '(', 0x0a, 0x46},
	{'0', ')', 0x0b, 0x45},
	{'-', '_', 0x0c, 0x4e},
	{'=', '+', 0x0d, 0x55},
	{'[', '{', 0x1a, 0x54},
	{']', '}', 0x1b, 0x5b},
	{'\\', '|', 0x2b, 0x5d},
	{';', ':', 0x27, 0x4c},
	{'\'', '"', 0x28, 0x52},
	{'`', '~', 0x29, 0x0e},
	{',', '<', 0x33, 0x41},
	{'.', '>', 0x34, 0x49},
	{'/', '?', 0x35, 0x4a},
	{' ', ' ', 0x39, 0x29},
	{'\r', '\r', 0x1c, 0x5a},
	{'\t', '\t', 0x0f, 0x0d},
	{0x7f, 0x7f, 0x0e, 0x66},
	{0x1b, 0x1b, 0x01, 0x76},
	{'\\', '|', 0x56, 0x61},
	/* the keypad */
	{'7', '7', 0x47, 0x6c},
	{'8', '8', 0x48, 0x75},
	{'9', '9', 0x49, 0x7d},
	{'-', '-', 0x4a, 0x7b},
	{'4', '4', 0x4b, 0x6b},
	{'5', '5', 0x4c, 0x73},
	{'6', '6', 0x4d, 0x74},
	{'+', '+', 0x4e, 0x79},
	{'1', '1', 0x4f, 0x69},
	{'2', '2', 0x50, 0x72},
	{'3', '3', 0x51, 0x7a},
	{'0', '0', 0x52, 0x70},
	{'.', '.', 0x53, 0x71},
	{'*', '*', 0x37, 0x7c},
};

static struct scan_decoder decoder;

static void press(uint8_t set_1, uint8_t set_2, int want)
{
	assert_int_equal(scan_decode(&decoder, decoder.is_set_2 ? set_2 : set_1), want);
}

static void release(uint8_t set_1, uint8_t set_2)
{
	if (decoder.is_set_2)
		assert_int_equal(scan_decode(&decoder, F0), -1);
	press(set_1 | 0x80, set_2, -1);
}

static void prefix(uint8_t byte)
{
	assert_int_equal(scan_decode(&decoder, byte), -1);
}

static void start(bool is_set_2)
{
	decoder = (struct scan_decoder){.is_set_2 = is_set_2};
}

/* Run a test with both sets. */
static void with_both(void (*test)(void))
{
	for (unsigned set_2 = 0; set_2 < 2; set_2++) {
		start(set_2);
		test();
	}
}

static void check_layout(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		press(keys[i].set_1, keys[i].set_2, keys[i].plain);
		release(keys[i].set_1, keys[i].set_2);
		press(0x36, 0x59, -1);
		press(keys[i].set_1, keys[i].set_2, keys[i].shifted);
		release(keys[i].set_1, keys[i].set_2);
		release(0x36, 0x59);
	}
}

static void keys_give_the_characters_of_the_us_layout(void **state)
{
	with_both(check_layout);
}

static void check_modifiers(void)
{
	press(0x2a, 0x12, -1); /* both Shift keys, one goes up */
	press(0x36, 0x59, -1);
	release(0x2a, 0x12);
	press(0x1e, 0x1c, 'A');
	release(0x36, 0x59);
	press(0x1e, 0x1c, 'a');
	press(0x1e, 0x1c, 'a'); /* repeats while it is down */
	press(0x1d, 0x14, -1);
	press(0x1e, 0x1c, 'A' & 0x1f);
	press(0x2e, 0x21, 'C' & 0x1f);
	press(0x1a, 0x54, 0x1b);
	press(0x02, 0x16, '1'); /* Ctrl means nothing here */
	release(0x1d, 0x14);
	press(0x2e, 0x21, 'c');
	prefix(E0); /* the right Ctrl */
	press(0x1d, 0x14, -1);
	press(0x2e, 0x21, 'C' & 0x1f);
	prefix(E0);
	release(0x1d, 0x14);
	press(0x2e, 0x21, 'c');
}

static void shift_and_ctrl_act_while_they_are_down(void **state)
{
	with_both(check_modifiers);
}

static void check_caps_lock(void)
{
	press(0x3a, 0x58, -1);
	release(0x3a, 0x58);
	press(0x1e, 0x1c, 'A');
	press(0x02, 0x16, '1');
	press(0x2a, 0x12, -1);
	press(0x1e, 0x1c, 'a');
	press(0x02, 0x16, '!');
	release(0x2a, 0x12);
	press(0x3a, 0x58, -1);
	release(0x3a, 0x58);
	press(0x1e, 0x1c, 'a');
}

static void caps_lock_is_for_letters(void **state)
{
	with_both(check_caps_lock);
}

static void check_extended(void)
{
	prefix(E0); /* the menu key */
	press(0x5d, 0x2f, -1);
	press(0x1e, 0x1c, 'a');
	prefix(E0);
	press(0x35, 0x4a, '/');
	press(0x2a, 0x12, -1);
	prefix(E0);
	press(0x35, 0x4a, '/'); /* of the keypad: Shift means nothing */
	release(0x2a, 0x12);
	prefix(E0);
	press(0x1c, 0x5a, '\r');
	press(0x3b, 0x05, -1); /* F1 */
	press(0x3c, 0x06, SCAN_SWITCH);
	press(0x38, 0x11, -1); /* Alt */
	press(0x1e, 0x1c, 'a');
}

static void keys_without_a_character_give_none(void **state)
{
	with_both(check_extended);
}

/* With the Shift that some keyboards add. */
static void press_cursor(uint8_t set_1, uint8_t set_2, const char *want)
{
	prefix(E0);
	press(0x2a, 0x12, -1);
	prefix(E0);
	press(set_1, set_2, *want++);
	while (*want)
		assert_int_equal(scan_rest(&decoder), *want++);
	assert_int_equal(scan_rest(&decoder), -1);
	prefix(E0);
	release(set_1, set_2);
	prefix(E0);
	release(0x2a, 0x12);
	assert_int_equal(scan_rest(&decoder), -1);
}

static void check_cursor(void)
{
	press_cursor(0x47, 0x6c, "\033[1~");
	press_cursor(0x48, 0x75, "\033[A");
	press_cursor(0x49, 0x7d, "\033[5~");
	press_cursor(0x51, 0x7a, "\033[6~");
	press_cursor(0x50, 0x72, "\033[B");
	press_cursor(0x4d, 0x74, "\033[C");
	press_cursor(0x4b, 0x6b, "\033[D");
	press_cursor(0x4f, 0x69, "\033[4~");
	press_cursor(0x53, 0x71, "\033[3~");
	press(0x48, 0x75, '8'); /* of the keypad */
	assert_int_equal(scan_rest(&decoder), -1);
}

static void cursor_keys_give_sequences(void **state)
{
	with_both(check_cursor);
}

static void the_pause_key_leaves_no_trace(void **state)
{
	static const uint8_t set_1[] = {E1, 0x1d, 0x45, E1, 0x9d, 0xc5};
	static const uint8_t set_2[] = {E1, 0x14, 0x77, E1, F0, 0x14, F0, 0x77};

	start(false);
	for (unsigned i = 0; i < sizeof(set_1); i++)
		prefix(set_1[i]);
	press(0x2e, 0x21, 'c');
	start(true);
	for (unsigned i = 0; i < sizeof(set_2); i++)
		prefix(set_2[i]);
	press(0x2e, 0x21, 'c');
}

static void any_bytes_are_taken(void **state)
{
	uint32_t random = 1;

	for (unsigned i = 0; i < 200000; i++) {
		if (i % 1000 == 0)
			start(i / 1000 % 2);
		random = random * 1664525 + 1013904223;
		assert_in_range(scan_decode(&decoder, (uint8_t)(random >> 24)) + 1, 0,
				SCAN_SWITCH + 1);
		assert_in_range(scan_rest(&decoder) + 1, 0, 0x80);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_give_the_characters_of_the_us_layout),
		cmocka_unit_test(shift_and_ctrl_act_while_they_are_down),
		cmocka_unit_test(caps_lock_is_for_letters),
		cmocka_unit_test(keys_without_a_character_give_none),
		cmocka_unit_test(cursor_keys_give_sequences),
		cmocka_unit_test(the_pause_key_leaves_no_trace),
		cmocka_unit_test(any_bytes_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
