/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard's controller, played by this test. */
#include "hv/host/keyboard.c"
#include "tests/unit/support.h"

static uint8_t config = CONFIG_TRANSLATE | CONFIG_INTERRUPTS;
static uint8_t answers[8];
static unsigned n_answers, n_reads;
static bool is_broken; /* always has a byte, which means nothing */

uint8_t inb(uint16_t port)
{
	assert_true(n_reads++ < 10000);
	if (port == PORT_STATUS)
		return is_broken || n_answers > 0 ? STATUS_HAS_BYTE : 0;
	if (is_broken)
		return 0xff;
	assert_true(n_answers > 0);
	return answers[--n_answers];
}

void outb(uint16_t port, uint8_t value)
{
	static uint8_t command;

	if (port == PORT_STATUS) {
		command = value;
		if (value == COMMAND_READ_CONFIG)
			answers[n_answers++] = config;
		return;
	}
	if (command == COMMAND_WRITE_CONFIG)
		config = value;
	else if (value == KEYBOARD_ENABLE)
		answers[n_answers++] = KEYBOARD_ACK;
	command = 0;
}

static int begin(void **state)
{
	n_answers = n_reads = 0;
	is_broken = false;
	assert_true(keyboard_init());
	return 0;
}

static void a_key_is_read(void **state)
{
	assert_int_equal(config, CONFIG_TRANSLATE);
	assert_int_equal(keyboard_read(), -1);
	answers[n_answers++] = 0x1e; /* A */
	assert_int_equal(keyboard_read(), 'a');
	assert_int_equal(keyboard_read(), -1);
}

static void a_key_of_several_characters_comes_whole(void **state)
{
	answers[n_answers++] = 0x1e;
	answers[n_answers++] = 0x48; /* up; the bytes come from the end */
	answers[n_answers++] = 0xe0;
	for (const char *want = "\033[Aa"; *want; want++)
		assert_int_equal(keyboard_read(), *want);
	assert_int_equal(keyboard_read(), -1);
}

static void a_controller_that_always_has_a_byte_does_not_keep_the_processor(void **state)
{
	is_broken = true;
	assert_int_equal(keyboard_read(), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_key_is_read, begin),
		cmocka_unit_test_setup(a_key_of_several_characters_comes_whole, begin),
		cmocka_unit_test_setup(
			a_controller_that_always_has_a_byte_does_not_keep_the_processor, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
