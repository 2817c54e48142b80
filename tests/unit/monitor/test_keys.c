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

int console_read(void)
{
	n_reads++;
	assert_true(n_reads < 100000);
	if (input == NULL)
		return 0xfe;
	return *input ? *input++ : -1;
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
	monitor_on = full = false;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_uart_that_always_has_a_byte_does_not_keep_the_processor,
				       begin),
		cmocka_unit_test_setup(a_byte_without_room_stays_in_the_uart, begin),
		cmocka_unit_test_setup(ctrl_a_is_not_typed, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
