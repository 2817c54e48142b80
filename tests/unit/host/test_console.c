/* SPDX-License-Identifier: BSD-2-Clause */
/* The console with a UART that has a speed: each look at its status takes a microsecond. */
#include "hv/host/console.h"

#include <stdio.h>
#include <string.h>

#include "hv/host/keyboard.h"
#include "hv/host/output_ring.h"
#include "hv/host/tsc.h"
#include "tests/unit/support.h"

const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {0};
uint64_t tsc_hz = UINT64_MAX / 2; /* the screen, which is not there, is never drawn */

enum { FIFO_US = 1389 }; /* 16 bytes at 115200 baud */

static unsigned now_us, ready_us, n_looks;
static char sent[1 << 20];
static size_t n_sent;

bool serial_is_present(const struct serial_port *port)
{
	return true;
}

void serial_init(const struct serial_port *port)
{
}

bool serial_can_send(const struct serial_port *port)
{
	n_looks++;
	return ++now_us >= ready_us;
}

bool serial_all_sent(const struct serial_port *port)
{
	return serial_can_send(port);
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	ready_us = now_us + FIFO_US;
	assert_true(n_sent < sizeof(sent) - 1);
	sent[n_sent++] = (char)byte;
	sent[n_sent] = '\0';
}

int serial_receive(const struct serial_port *port)
{
	return -1;
}

int keyboard_read(void)
{
	return -1;
}

static int begin(void **state)
{
	static const struct boot_info no_screens;

	console_set_buffered(false);
	console_init(&no_screens);
	console_set_buffered(true);
	n_sent = 0;
	n_looks = 0;
	return 0;
}

static void write_line(const char *text)
{
	console_write_raw(text, strlen(text));
}

static bool offer(void)
{
	static const char line[] = "vm: 0123456789 0123456789 0123456789\n";

	return console_offer(line, sizeof(line) - 1);
}

static void wait(unsigned us)
{
	now_us += us;
	(void)console_poll();
}

/* A guest would wait as long as the function does. */
static void nothing_waits_for_the_line(void **state)
{
	for (unsigned i = 0; i < 5000; i++) {
		unsigned before = n_looks;

		if (i % 2)
			write_line("stencil: 0123456789 0123456789 0123456789\n");
		else
			(void)offer();
		assert_in_range(n_looks - before, 0, 16);
	}
}

/* As long as a guest floods, a line of the monitor leaves after at most 0.3 seconds. */
static void guests_leave_room_for_others(void **state)
{
	unsigned n_taken = 0;

	for (unsigned i = 0; i < 1000; i++)
		n_taken += offer();
	assert_in_range(n_taken, 20, 100);
	write_line("answer\n");
	for (unsigned us = 0; us < 300000; us += FIFO_US) {
		wait(FIFO_US);
		(void)offer();
	}
	assert_non_null(strstr(sent, "\nanswer\r\n"));
}

static void lines_without_room_are_lost_and_counted(void **state)
{
	unsigned n = 0, n_lost = 0;

	for (unsigned i = 0; i < 1000; i++)
		write_line("stencil: 0123456789 0123456789 0123456789\n");
	while (console_poll())
		now_us += FIFO_US;
	for (const char *at = sent; (at = strstr(at, "stencil: 0123")) != NULL; at++)
		n++;
	assert_int_equal(sscanf(strstr(sent, "stencil: warning: console: "),
				"stencil: warning: console: %u lines lost\r\n", &n_lost),
			 1);
	assert_int_equal(n + n_lost, 1000);
}

static void an_answer_of_any_length_is_whole(void **state)
{
	for (unsigned i = 0; i < 2000; i++) {
		console_wait_for_room();
		write_line("t-0: running, 0 KiB private memory\n");
	}
	while (console_poll())
		now_us += FIFO_US;
	assert_null(strstr(sent, "lost"));
	assert_int_equal(n_sent, 2000 * 36);
}

static void at_the_end_all_is_sent(void **state)
{
	for (unsigned i = 0; i < 200; i++)
		write_line("stencil: 0123456789\n");
	console_set_buffered(false);
	assert_int_equal(console_waiting(), 0);
	for (unsigned i = 0; i < 5000; i++)
		assert_true(console_offer("vm: 0123456789\n", 15));
	assert_int_equal(n_sent, 200 * 21 + 5000 * 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_waits_for_the_line, begin),
		cmocka_unit_test_setup(guests_leave_room_for_others, begin),
		cmocka_unit_test_setup(lines_without_room_are_lost_and_counted, begin),
		cmocka_unit_test_setup(an_answer_of_any_length_is_whole, begin),
		cmocka_unit_test_setup(at_the_end_all_is_sent, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
