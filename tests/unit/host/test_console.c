/* SPDX-License-Identifier: BSD-2-Clause */
/* The console with a UART that has a speed: each look at its status takes a microsecond. */
#include "hv/host/console.c"

#include <stdio.h>
#include <string.h>

#include "hv/host/keyboard.h"
#include "hv/host/output_ring.h"
#include "hv/host/tsc.h"
#include "tests/unit/support.h"

#define NEVER (UINT64_MAX / 2) /* the TSC does not tick so often */

const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {['x'] = {0xff}};
uint64_t tsc_hz;

enum { FIFO_US = 1389 }; /* 16 bytes at 115200 baud */

static const struct serial_port no_port = {.space = ACPI_SPACE_NONE};

static bool is_present, is_dead, is_fast;
static uint16_t divisor;
static unsigned now_us, ready_us, n_looks, n_inits;
static void (*while_sending)(void); /* another processor meanwhile; called once */
static int key;
static char sent[1 << 20];
static size_t n_sent;

bool serial_is_present(const struct serial_port *port)
{
	return is_present;
}

void serial_init(const struct serial_port *port)
{
	n_inits++;
	divisor = port->divisor;
}

bool serial_can_send(const struct serial_port *port)
{
	n_looks++;
	return !is_dead && (++now_us >= ready_us || is_fast);
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
	if (while_sending) {
		void (*other)(void) = while_sending;

		while_sending = NULL;
		other();
	}
}

int serial_receive(const struct serial_port *port)
{
	return -1;
}

int keyboard_read(void)
{
	return key;
}

static int begin(void **state)
{
	static const struct boot_info no_screens;

	is_present = true;
	is_dead = is_fast = false;
	key = -1;
	tsc_hz = NEVER; /* nothing is drawn, and no wait ends early */
	console_set_buffered(false);
	console_init(&no_screens);
	console_set_buffered(true);
	n_sent = 0;
	*sent = '\0';
	n_looks = n_inits = 0;
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
	assert_false(console_offer_part("a prompt of a guest: it is longer than what is left", 50));
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

/* Only an emulated UART is ready again at once. */
static void a_fast_port_takes_a_bounded_part_at_once(void **state)
{
	static char line[1001];

	is_fast = true;
	memset(line, 'x', sizeof(line) - 1);
	write_line(line);
	assert_int_equal(n_sent, 16 * SERIAL_FIFO_SIZE);
	assert_int_equal(console_waiting(), sizeof(line) - 1 - 16 * SERIAL_FIFO_SIZE);
}

/* More than the ring has: during start-up nothing is lost. */
static void unbuffered_output_of_any_length_is_sent(void **state)
{
	static char text[3 * OUTPUT_RING_SIZE + 1];

	memset(text, 'x', sizeof(text) - 1);
	is_fast = true;
	console_set_buffered(false);
	write_line(text);
	assert_string_equal(sent, text);
}

static void a_return_is_not_doubled(void **state)
{
	write_line("a\r\nb\n");
	console_flush();
	assert_string_equal(sent, "a\r\nb\r\n");
}

static void a_port_that_is_found_later_gets_what_is_left(void **state)
{
	char line[40];

	console_set_serial(&no_port);
	for (unsigned i = 0; i < 1000; i++)
		console_write_raw(line, (size_t)sprintf(line, "line %03u ----------------\n", i));
	assert_int_equal(console_waiting(), 0);
	assert_int_equal(n_sent, 0);
	console_set_serial(&SERIAL_COM2);
	assert_int_equal(n_inits, 1);
	console_flush();
	assert_int_equal(n_sent, OUTPUT_RING_SIZE);
	assert_null(strstr(sent, "line 300 -"));
	assert_non_null(strstr(sent, "line 999 ----------------\r\n"));
	n_sent = 0;
	console_set_serial(&SERIAL_COM1);
	assert_int_equal(n_inits, 2);
	console_flush();
	assert_int_equal(n_sent, OUTPUT_RING_SIZE);
	console_set_serial(&SERIAL_COM1); /* in use */
	assert_int_equal(n_inits, 2);
}

static void a_port_keeps_its_output_when_its_speed_changes(void **state)
{
	struct serial_port slow = SERIAL_COM1;

	assert_int_equal(divisor, 0); /* the firmware's */
	assert_false(console_set_divisor(12));
	write_line("one\n");
	slow.divisor = 6;
	console_set_serial(&slow);
	assert_int_equal(divisor, 6);
	assert_string_equal(sent, "one\r\n"); /* at the speed before, and once */
	console_set_serial(&slow);
	assert_int_equal(n_inits, 1);
	assert_true(console_set_divisor(12));
	assert_int_equal(n_inits, 2);
	assert_int_equal(divisor, 12);
	write_line("two\n");
	console_flush();
	assert_string_equal(sent, "one\r\ntwo\r\n");
	console_set_serial(&no_port);
	assert_false(console_set_divisor(1));
}

static void keys_are_read_with_and_without_a_port(void **state)
{
	key = 'k';
	assert_int_equal(console_read(), CONSOLE_KEYBOARD | 'k');
	console_set_serial(&no_port);
	assert_int_equal(console_read(), CONSOLE_KEYBOARD | 'k');
}

static void a_port_that_takes_nothing_is_given_up(void **state)
{
	console_set_buffered(false);
	is_dead = true;
	write_line("x\n");
	assert_in_range(n_looks, 10000, 10000000);
	n_looks = 0;
	write_line("y\n");
	console_flush();
	assert_int_equal(n_looks, 0);
	assert_int_equal(n_sent, 0);
}

static void the_wait_for_a_stuck_port_ends(void **state)
{
	is_dead = true;
	while (console_waiting() < OUTPUT_RING_SIZE * 3 / 4)
		write_line("stencil: 0123456789\n");
	tsc_hz = 1000;
	console_wait_for_room();
	assert_true(console_waiting() >= OUTPUT_RING_SIZE * 3 / 4);
	is_dead = false;
}

static void the_screen_is_drawn_from_time_to_time(void **state)
{
	static uint32_t pixels[16 * 80];
	static struct boot_info info = {.n_framebuffers = 1,
					.framebuffer = {{.width = 80, .height = 16, .pitch = 320}}};

	is_present = false; /* of a port there is nothing to initialise */
	console_set_serial(&no_port);
	info.framebuffer[0].base = (uintptr_t)pixels;
	console_init(&info);
	assert_int_equal(n_inits, 0);
	write_line("x");
	assert_true(console_poll()); /* it waits to be drawn */
	assert_int_equal(pixels[0], 0);
	tsc_hz = 0;
	assert_false(console_poll());
	assert_int_not_equal(pixels[0], 0);
	assert_int_equal(n_sent, 0);
}

/* A page takes the place of the text, of which no row is painted meanwhile, and goes at the end. */
static void a_page_is_shown_while_output_is_buffered(void **state)
{
	static uint32_t pixels[16 * 80 * 2];
	static struct boot_info info = {.n_framebuffers = 1,
					.framebuffer = {{.width = 80, .height = 32, .pitch = 320}}};
	struct screen_row row = {.text = "x"};
	unsigned columns, rows;

	is_present = false;
	console_set_serial(&no_port);
	info.framebuffer[0].base = (uintptr_t)pixels;
	console_init(&info);
	tsc_hz = 0;
	console_get_size(&columns, &rows);
	assert_true(columns == 10 && rows == 2);
	memset(row.text + 1, ' ', sizeof(row.text) - 1);
	assert_false(console_paint_page(1, &row)); /* the text is shown */
	assert_true(console_show_page(true));
	write_line("x");
	assert_false(console_poll());
	assert_int_equal(pixels[0], 0);
	assert_true(console_paint_page(1, &row));
	assert_int_not_equal(pixels[16 * 80], 0);
	console_copy_row(0, &row);
	assert_memory_equal(row.text, "x ", 2);
	console_set_buffered(false);
	assert_int_not_equal(pixels[0], 0);
	assert_int_equal(pixels[16 * 80], 0);
	assert_true(console_show_page(true)); /* too late */
	assert_false(console_paint_page(1, &row));
}

static void a_row_is_painted_by_one_processor(void **state)
{
	static uint32_t pixels[16 * 80];
	static struct boot_info info = {.n_framebuffers = 1,
					.framebuffer = {{.width = 80, .height = 16, .pitch = 320}}};
	struct screen_row row = {.text = "x"};

	is_present = false;
	console_set_serial(&no_port);
	info.framebuffer[0].base = (uintptr_t)pixels;
	console_init(&info);
	tsc_hz = 0;
	write_line("x");
	is_painting = true; /* by another one */
	assert_true(console_poll());
	assert_true(console_show_page(true));
	assert_false(console_paint_page(0, &row));
	assert_int_equal(pixels[0], 0);
	is_painting = false;
	assert_true(console_paint_page(0, &row));
	assert_false(is_painting);
	lock_acquire(&console_lock);
	assert_false(console_paint_page(0, &row));
	lock_release(&console_lock);
	assert_true(console_show_page(false));
}

static void a_line_is_open_until_its_newline(void **state)
{
	console_write_part("(stencil) ", 10);
	console_write_part("", 0);
	assert_true(console_line_is_open());
	assert_true(console_offer_part("info\n", 5));
	assert_true(console_offer_part("", 0));
	assert_false(console_line_is_open());
	console_write_part("a", 1);
	write_line("b\n");
	assert_false(console_line_is_open());
	console_flush();
	assert_string_equal(sent, "(stencil) info\r\na\r\nb\r\n");
}

static void offer_and_poll(void)
{
	assert_false(console_offer("x\n", 2));
	assert_false(console_offer_part("x", 1));
	assert_true(console_poll()); /* there may be something to do */
}

/* A guest's processor waits for no other. */
static void a_console_in_use_is_passed_by(void **state)
{
	is_fast = true;
	while_sending = offer_and_poll;
	write_line("a\n");
	assert_null(while_sending);
	console_flush();
	assert_string_equal(sent, "a\r\n");
}

static void panic_meanwhile(void)
{
	console_break_lock();
	write_line("panic\n");
	assert_true(console_offer("also\n", 5));
	assert_int_equal(console_waiting(), 0);
}

/* The last test: the lock stays broken. */
static void a_panic_is_shown_although_a_stopped_processor_has_the_console(void **state)
{
	is_fast = true;
	while_sending = panic_meanwhile;
	write_line("a\n");
	assert_string_equal(sent, "a\r\npanic\r\nalso\r\n");
	assert_false(console_poll());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_waits_for_the_line, begin),
		cmocka_unit_test_setup(guests_leave_room_for_others, begin),
		cmocka_unit_test_setup(lines_without_room_are_lost_and_counted, begin),
		cmocka_unit_test_setup(an_answer_of_any_length_is_whole, begin),
		cmocka_unit_test_setup(at_the_end_all_is_sent, begin),
		cmocka_unit_test_setup(a_fast_port_takes_a_bounded_part_at_once, begin),
		cmocka_unit_test_setup(unbuffered_output_of_any_length_is_sent, begin),
		cmocka_unit_test_setup(a_return_is_not_doubled, begin),
		cmocka_unit_test_setup(a_port_that_is_found_later_gets_what_is_left, begin),
		cmocka_unit_test_setup(a_port_keeps_its_output_when_its_speed_changes, begin),
		cmocka_unit_test_setup(keys_are_read_with_and_without_a_port, begin),
		cmocka_unit_test_setup(a_port_that_takes_nothing_is_given_up, begin),
		cmocka_unit_test_setup(the_wait_for_a_stuck_port_ends, begin),
		cmocka_unit_test_setup(the_screen_is_drawn_from_time_to_time, begin),
		cmocka_unit_test_setup(a_page_is_shown_while_output_is_buffered, begin),
		cmocka_unit_test_setup(a_row_is_painted_by_one_processor, begin),
		cmocka_unit_test_setup(a_line_is_open_until_its_newline, begin),
		cmocka_unit_test_setup(a_console_in_use_is_passed_by, begin),
		cmocka_unit_test_setup(
			a_panic_is_shown_although_a_stopped_processor_has_the_console, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
