/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes from the console's line: a broken UART, and what Ctrl-A does. */
#include "hv/monitor/keys.c"

#include <string.h>

#include "tests/unit/support.h"

static const char *input; /* NULL: bytes without end */
static unsigned n_reads, n_polls, n_next, n_switches, n_attaches, n_detaches;
static char typed[1024];
static size_t n_typed;
static bool monitor_on, full;

static const char *keyboard = ""; /* after 'input' */
static bool page_on, page_has_line;
static char page_typed[64];

int console_read(void)
{
	n_reads++;
	assert_true(n_reads < 100000);
	if (input == NULL)
		return 0xfe;
	if (*input)
		return *input++;
	return *keyboard ? CONSOLE_KEYBOARD | (uint8_t)*keyboard++ : -1;
}

void status_switch(bool is_line)
{
	page_on = !page_on;
	page_has_line = is_line;
}

bool status_takes(bool is_line)
{
	return page_on && (page_has_line || !is_line);
}

void status_type(uint8_t byte)
{
	page_typed[strlen(page_typed)] = (char)byte;
}

void status_poll(void)
{
}

void monitor_switch(void)
{
	n_switches++;
	monitor_on = !monitor_on;
}

bool monitor_is_on(void)
{
	return monitor_on;
}

bool monitor_has_room(void)
{
	return !full;
}

void monitor_type(uint8_t byte)
{
	typed[n_typed++] = (char)(byte | 0x80);
}

void monitor_poll(void)
{
	n_polls++;
}

void focus_attach(void)
{
	n_attaches++;
}

bool vm_output_detach(const struct vm *vm)
{
	assert_null(vm);
	n_detaches++;
	return true;
}

void focus_next(void)
{
	n_next++;
}

bool focus_has_room(void)
{
	return !full;
}

void focus_type(uint8_t byte)
{
	typed[n_typed++] = (char)byte;
}

void focus_wake(void)
{
}

static int begin(void **state)
{
	n_reads = n_polls = n_next = n_switches = n_attaches = n_detaches = 0;
	n_typed = 0;
	memset(typed, 0, sizeof(typed));
	monitor_on = full = page_on = false;
	memset(page_typed, 0, sizeof(page_typed));
	return 0;
}

static void a_uart_that_always_has_a_byte_does_not_keep_the_processor(void **state)
{
	input = NULL;
	keys_poll();
	assert_in_range(n_reads, 1, BYTES_AT_ONCE);
	assert_int_equal(n_polls, 1);
}

static void a_byte_without_room_stays_in_the_uart(void **state)
{
	input = "abc";
	full = true;
	keys_poll();
	assert_int_equal(n_reads, 0);
	full = false;
	keys_poll();
	assert_string_equal(typed, "abc");
}

static void ctrl_a_is_not_typed(void **state)
{
	input = "a\1nb\1\1c\1xd\1a\1d\1c\1ne\1cf";
	keys_poll();
	assert_int_equal(n_next, 1);
	assert_int_equal(n_switches, 2);
	assert_int_equal(n_attaches, 1);
	assert_int_equal(n_detaches, 4); /* before another VM, or the monitor, has the console */
	assert_string_equal(typed, "ab\1cxd\xee\xe5"
				   "f");
}

static void the_status_page_has_the_keyboard(void **state)
{
	input = "a";
	keyboard = "b\x80"
		   "c\001n";
	keys_poll();
	assert_string_equal(typed, "ab");
	assert_string_equal(page_typed, "c\001n");
	input = "d";
	keyboard = "\x80"
		   "e";
	keys_poll();
	assert_string_equal(typed, "abde");
	assert_int_equal(n_next, 0);
}

static void the_line_asks_for_the_status_page(void **state)
{
	input = "\001sx";
	keyboard = "y";
	keys_poll();
	assert_string_equal(page_typed, "xy");
	assert_string_equal(typed, "");
	page_on = false;
	input = "";
	keyboard = "\001sz"; /* of the keyboard: the line is the guests' */
	keys_poll();
	input = "w";
	keys_poll();
	assert_string_equal(page_typed, "xyz");
	assert_string_equal(typed, "w");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_uart_that_always_has_a_byte_does_not_keep_the_processor,
				       begin),
		cmocka_unit_test_setup(a_byte_without_room_stays_in_the_uart, begin),
		cmocka_unit_test_setup(ctrl_a_is_not_typed, begin),
		cmocka_unit_test_setup(the_status_page_has_the_keyboard, begin),
		cmocka_unit_test_setup(the_line_asks_for_the_status_page, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
