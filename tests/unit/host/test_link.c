/* SPDX-License-Identifier: BSD-2-Clause */
/* A link over a UART that has a speed: a FIFO leaves some looks at its status later. */
#include "hv/host/link.h"

#include <string.h>

#include "tests/unit/support.h"

enum { FIFO_LOOKS = 100 };

static struct link link;
static char sent[2 * OUTPUT_RING_SIZE];
static size_t n_sent;
static unsigned n_looks, ready_at;
static bool is_fast, is_dead;
static const char *received;

void serial_init(const struct serial_port *port)
{
	assert_int_equal(port->address, 0x2f8);
}

bool serial_can_send(const struct serial_port *port)
{
	return !is_dead && (++n_looks >= ready_at || is_fast);
}

bool serial_all_sent(const struct serial_port *port)
{
	return serial_can_send(port);
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	ready_at = n_looks + FIFO_LOOKS;
	sent[n_sent++] = (char)byte;
}

int serial_receive(const struct serial_port *port)
{
	return *received ? *received++ : -1;
}

static int begin(void **state)
{
	n_sent = n_looks = ready_at = 0;
	is_fast = is_dead = false;
	received = "";
	link_begin(&link, &SERIAL_COM2);
	return 0;
}

/* No newline gets a return, and no byte is lost. */
static void bytes_are_sent_as_they_are(void **state)
{
	static const char text[] = "{\"QMP\"}\n\xff";

	link_write(&link, text, sizeof(text));
	link_flush(&link);
	assert_int_equal(n_sent, sizeof(text));
	assert_memory_equal(sent, text, sizeof(text));
	assert_int_equal(link_room(&link), OUTPUT_RING_SIZE);
}

static void a_poll_does_not_wait(void **state)
{
	static const char text[1000];

	link_write(&link, text, sizeof(text));
	link_send(&link);
	assert_int_equal(n_sent, SERIAL_FIFO_SIZE);
	assert_true(n_looks < FIFO_LOOKS);
	link_send(&link);
	assert_int_equal(n_sent, SERIAL_FIFO_SIZE);
}

/* An emulated UART takes bytes without end. */
static void a_poll_has_an_end(void **state)
{
	static const char text[OUTPUT_RING_SIZE];

	is_fast = true;
	link_write(&link, text, sizeof(text));
	assert_int_equal(link_room(&link), 0);
	link_send(&link);
	assert_int_equal(n_sent, 16 * SERIAL_FIFO_SIZE);
}

static void a_dead_port_does_not_hold_the_end_up(void **state)
{
	link_write(&link, "x", 1);
	is_dead = true;
	link_flush(&link);
	assert_int_equal(n_sent, 0);
}

static void more_than_there_is_room_for(void)
{
	static const char text[OUTPUT_RING_SIZE + 1];

	link_write(&link, text, sizeof(text));
}

static void a_full_link_is_the_callers_error(void **state)
{
	assert_true(aborts(more_than_there_is_room_for));
}

static void bytes_are_received(void **state)
{
	received = "ab";
	assert_int_equal(link_read(&link), 'a');
	assert_int_equal(link_read(&link), 'b');
	assert_int_equal(link_read(&link), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_are_sent_as_they_are, begin),
		cmocka_unit_test_setup(a_poll_does_not_wait, begin),
		cmocka_unit_test_setup(a_poll_has_an_end, begin),
		cmocka_unit_test_setup(a_dead_port_does_not_hold_the_end_up, begin),
		cmocka_unit_test_setup(a_full_link_is_the_callers_error, begin),
		cmocka_unit_test_setup(bytes_are_received, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
