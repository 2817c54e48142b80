/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/uart.h"

#include <string.h>

#include "tests/unit/support.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { FCR = IIR, DLL = DATA, DLM = IER };

static char sent[64];
static unsigned n_sent;

static uint8_t uart_read(struct uart *uart, unsigned off)
{
	return (uint8_t)uart_class.read(uart, &(struct io_access){.off = off, .size = 1});
}

static void uart_write(struct uart *uart, unsigned off, uint8_t value)
{
	uint32_t wish =
		uart_class.write(uart, &(struct io_access){.off = off, .size = 1, .value = value});

	if (wish == 0)
		return;
	assert_int_equal(wish & ~0xffu, WISH_SERIAL);
	assert_true(n_sent < sizeof(sent));
	sent[n_sent++] = (char)wish;
}

static struct uart fresh(void)
{
	struct uart uart = {0};

	uart_reset(&uart);
	n_sent = 0;
	return uart;
}

static void bytes_leave_in_order_and_at_once(void **state)
{
	struct uart uart = fresh();

	for (const char *c = "hello\n"; *c; c++) {
		assert_int_equal(uart_read(&uart, LSR), 0x60);
		uart_write(&uart, DATA, (uint8_t)*c);
	}
	assert_int_equal(n_sent, 6);
	assert_memory_equal(sent, "hello\n", 6);
	assert_false(uart.irq);
}

static void the_divisor_is_behind_dlab(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, LCR, 0x83);
	uart_write(&uart, DLL, 0x34);
	uart_write(&uart, DLM, 0x12);
	assert_int_equal(uart.divisor, 0x1234);
	assert_int_equal(uart_read(&uart, DLL), 0x34);
	assert_int_equal(uart_read(&uart, DLM), 0x12);
	uart_write(&uart, LCR, 0x03);
	assert_int_equal(uart_read(&uart, LCR), 0x03);
	assert_int_equal(uart_read(&uart, IER), 0);
	assert_int_equal(n_sent, 0);
}

/* The steps of Linux's 8250 autoconfiguration, in its order. */
static void linux_finds_a_16550a(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, IER, 0);
	assert_int_equal(uart_read(&uart, IER), 0);
	uart_write(&uart, IER, 0x0f);
	assert_int_equal(uart_read(&uart, IER), 0x0f);
	uart_write(&uart, IER, 0);
	/* Loopback: RTS and OUT2 come back as CTS and DCD. */
	uart_write(&uart, MCR, 0x10 | 0x0a);
	assert_int_equal(uart_read(&uart, MSR) & 0xf0, 0x90);
	uart_write(&uart, MCR, 0);
	/* LCR 0xbf does not show an enhanced register. */
	uart_write(&uart, LCR, 0xbf);
	uart_write(&uart, FCR, 0);
	uart_write(&uart, LCR, 0);
	uart_write(&uart, FCR, 1);
	assert_int_equal(uart_read(&uart, IIR) >> 6, 3);
	/* Not a 16750: bit 5 stays clear, also with DLAB. Not an XScale: IER has no bit 6. */
	uart_write(&uart, LCR, 0x80);
	uart_write(&uart, FCR, 0x21);
	assert_int_equal(uart_read(&uart, IIR) >> 5, 6);
	uart_write(&uart, LCR, 0);
	uart_write(&uart, IER, 0xf0);
	assert_int_equal(uart_read(&uart, IER), 0);
	for (unsigned value = 0; value < 256; value++) {
		uart_write(&uart, SCR, (uint8_t)value);
		assert_int_equal(uart_read(&uart, SCR), value);
	}
	assert_int_equal(uart_read(&uart, LSR), 0x60);
}

/*
 * Linux's start-up: on a UART that does not raise the interrupt again, Linux reports "THRE bug" and
 * uses a timer.
 */
static void enabling_the_empty_interrupt_raises_it_every_time(void **state)
{
	struct uart uart = fresh();

	for (unsigned i = 0; i < 3; i++) {
		uart_write(&uart, IER, 0x02);
		assert_true(uart.irq);
		assert_int_equal(uart_read(&uart, IIR), 0x02);
		assert_false(uart.irq);
		assert_int_equal(uart_read(&uart, IIR), 0x01);
		uart_write(&uart, IER, 0x02); /* no change, no interrupt */
		assert_false(uart.irq);
		uart_write(&uart, IER, 0x00);
		assert_false(uart.irq);
	}
}

static void writing_a_byte_ends_and_renews_the_empty_interrupt(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, IER, 0x02);
	uart_read(&uart, IIR);
	uart_write(&uart, DATA, 'x');
	assert_true(uart.irq);
	assert_int_equal(uart_read(&uart, IIR), 0x02);
	assert_false(uart.irq);
}

static void input_raises_the_line_until_it_is_read(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, FCR, 1);
	assert_true(uart_receive(&uart, 'a'));
	assert_false(uart.irq); /* not enabled */
	uart_write(&uart, IER, 0x01);
	assert_true(uart.irq);
	assert_true(uart_receive(&uart, 'b'));
	assert_int_equal(uart_read(&uart, LSR), 0x61);
	assert_int_equal(uart_read(&uart, IIR), 0xc4);
	assert_int_equal(uart_read(&uart, DATA), 'a');
	assert_true(uart.irq);
	assert_int_equal(uart_read(&uart, DATA), 'b');
	assert_false(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x60);
	assert_int_equal(uart_read(&uart, DATA), 0);
}

static void below_the_trigger_level_it_is_a_timeout(void **state)
{
	static const unsigned level[] = {1, 4, 8, 14};

	for (unsigned i = 0; i < 4; i++) {
		struct uart uart = fresh();

		uart_write(&uart, FCR, (uint8_t)(i << 6 | 1));
		uart_write(&uart, IER, 1);
		for (unsigned n = 1; n <= UART_FIFO_SIZE; n++) {
			assert_true(uart_receive(&uart, (uint8_t)n));
			assert_int_equal(uart_read(&uart, IIR), n < level[i] ? 0xcc : 0xc4);
		}
	}
}

static void a_full_receiver_refuses_and_loses_nothing(void **state)
{
	for (unsigned fifo = 0; fifo < 2; fifo++) {
		struct uart uart = fresh();
		unsigned room = fifo ? UART_FIFO_SIZE : 1;

		uart_write(&uart, FCR, (uint8_t)fifo);
		for (unsigned round = 0; round < 3; round++) {
			for (unsigned i = 0; i < room; i++)
				assert_true(uart_receive(&uart, (uint8_t)(i + round)));
			assert_false(uart_receive(&uart, 0xee));
			for (unsigned i = 0; i < room; i++)
				assert_int_equal(uart_read(&uart, DATA), i + round);
			/* Start the ring elsewhere in the next round. */
			assert_true(uart_receive(&uart, 1));
			assert_int_equal(uart_read(&uart, DATA), 1);
		}
		assert_int_equal(uart_read(&uart, LSR), 0x60);
	}
}

static void clearing_the_fifo_empties_it(void **state)
{
	static const struct {
		uint8_t before, after;
		bool empty;
	} table[] = {{1, 1, false}, {1, 3, true},  {1, 0, true},
		     {0, 1, true},  {1, 5, false}, {0, 0, false}};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		struct uart uart = fresh();

		uart_write(&uart, FCR, table[i].before);
		assert_true(uart_receive(&uart, 'x'));
		uart_write(&uart, FCR, table[i].after);
		assert_int_equal(uart_read(&uart, LSR) & 1, !table[i].empty);
	}
}

static void loopback_brings_back_what_is_sent(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, FCR, 1);
	uart_write(&uart, MCR, 0x10);
	assert_false(uart_receive(&uart, 'z'));
	for (unsigned i = 0; i < UART_FIFO_SIZE; i++)
		uart_write(&uart, DATA, (uint8_t)('a' + i));
	assert_int_equal(uart_read(&uart, LSR), 0x61);
	uart_write(&uart, DATA, 'z');
	assert_int_equal(n_sent, 0);
	uart_write(&uart, IER, 0x04);
	assert_int_equal(uart_read(&uart, IIR), 0xc6);
	assert_int_equal(uart_read(&uart, LSR), 0x63); /* the 17th byte was lost */
	assert_false(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x61);
	for (unsigned i = 0; i < UART_FIFO_SIZE; i++)
		assert_int_equal(uart_read(&uart, DATA), 'a' + i);
}

static void loopback_brings_back_a_break(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, LCR, 0x43); /* on the line, which is not looked at */
	uart_write(&uart, LCR, 0x03);
	assert_int_equal(uart_read(&uart, LSR), 0x60);
	uart_write(&uart, MCR, 0x10);
	uart_write(&uart, IER, 4);
	uart_write(&uart, LCR, 0x43);
	uart_write(&uart, LCR, 0x43); /* the same break */
	assert_true(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x79);
	assert_false(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x61);
	assert_int_equal(uart_read(&uart, DATA), 0);
	assert_int_equal(uart_read(&uart, LSR), 0x60);
	uart_write(&uart, FCR, 1);
	uart_write(&uart, LCR, 0x03);
	uart_write(&uart, LCR, 0x43);
	assert_int_equal(uart_read(&uart, LSR), 0xf9);
	assert_int_equal(uart_read(&uart, LSR), 0x61);
}

static void modem_inputs_follow_the_outputs_in_loopback(void **state)
{
	for (unsigned out = 0; out < 16; out++) {
		struct uart uart = fresh();
		unsigned expect = (out & 2 ? 0x10 : 0) | (out & 1 ? 0x20 : 0) |
				  (out & 4 ? 0x40 : 0) | (out & 8 ? 0x80 : 0);

		assert_int_equal(uart_read(&uart, MSR), 0xb0);
		uart_write(&uart, MCR, (uint8_t)(0x10 | out));
		assert_int_equal(uart_read(&uart, MCR), 0x10 | out);
		/* Deltas relative to CTS, DSR and DCD; RI counts only when it ends. */
		assert_int_equal(uart_read(&uart, MSR), expect | ((expect ^ 0xb0) >> 4 & 0x0b));
		assert_int_equal(uart_read(&uart, MSR), expect);
		uart_write(&uart, IER, 8);
		assert_false(uart.irq);
		uart_write(&uart, MCR, 0xf0);
		assert_int_equal(uart_read(&uart, MCR), 0x10);
		assert_int_equal(uart.irq, out != 0);
		assert_int_equal(uart_read(&uart, IIR), out != 0 ? 0 : 1);
		assert_int_equal(uart_read(&uart, MSR), expect >> 4);
		assert_false(uart.irq);
	}
}

static void deltas_add_up_until_they_are_read(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, MCR, 0x10 | 0x0b); /* same as before */
	uart_write(&uart, MCR, 0x10 | 0x09);
	uart_write(&uart, MCR, 0x10 | 0x01);
	assert_int_equal(uart_read(&uart, MSR), 0x29);
	assert_int_equal(uart_read(&uart, MSR), 0x20);
}

static void sources_are_reported_by_priority(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, MCR, 0x10);
	uart_write(&uart, DATA, 1);
	uart_write(&uart, DATA, 2); /* overrun: without FIFO there is room for one byte */
	uart_write(&uart, IER, 0x0f);
	assert_int_equal(uart_read(&uart, IIR), 0x06);
	uart_read(&uart, LSR);
	assert_int_equal(uart_read(&uart, IIR), 0x04);
	assert_int_equal(uart_read(&uart, IIR), 0x04); /* reading IIR does not end it */
	uart_read(&uart, DATA);
	assert_int_equal(uart_read(&uart, IIR), 0x02);
	assert_int_equal(uart_read(&uart, IIR), 0x00);
	assert_true(uart.irq);
	uart_read(&uart, MSR);
	assert_int_equal(uart_read(&uart, IIR), 0x01);
	assert_false(uart.irq);
}

static void a_held_line_is_not_empty(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, IER, 2);
	assert_int_equal(uart_read(&uart, IIR), 0x02);
	uart_write(&uart, DATA, 'a');
	uart_hold(&uart, true);
	assert_false(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0);
	assert_int_equal(uart_read(&uart, IIR), 0x01);
	uart_write(&uart, IER, 0);
	uart_write(&uart, IER, 2);
	uart_write(&uart, DATA, 'b'); /* of a guest that does not look */
	assert_false(uart.irq);
	assert_int_equal(n_sent, 2);
	uart_hold(&uart, false);
	assert_true(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x60);
	assert_int_equal(uart_read(&uart, IIR), 0x02);
	assert_false(uart.irq);
}

static void loopback_does_not_wait_for_the_line(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, MCR, 0x10);
	uart_hold(&uart, true);
	uart_write(&uart, IER, 2);
	assert_true(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0x60);
	uart_write(&uart, MCR, 0);
	assert_false(uart.irq);
	assert_int_equal(uart_read(&uart, LSR), 0);
}

static void read_only_registers_ignore_writes(void **state)
{
	struct uart uart = fresh();

	for (unsigned value = 0; value < 256; value++) {
		uart_write(&uart, LSR, (uint8_t)value);
		uart_write(&uart, MSR, (uint8_t)value);
		assert_int_equal(uart_read(&uart, LSR), 0x60);
		assert_int_equal(uart_read(&uart, MSR), 0xb0);
	}
}

static void reset_is_power_on(void **state)
{
	struct uart uart = fresh();

	uart_write(&uart, FCR, 0xc1);
	uart_write(&uart, IER, 0x0f);
	uart_write(&uart, MCR, 0x1f);
	uart_write(&uart, SCR, 0x1f);
	uart_write(&uart, DATA, 1);
	uart_write(&uart, LCR, 0x80);
	uart_write(&uart, DLL, 1);
	uart_reset(&uart);
	for (unsigned reg = 0; reg < 8; reg++) {
		static const uint8_t expect[8] = {0, 0, 1, 0, 0, 0x60, 0xb0, 0};

		assert_int_equal(uart_read(&uart, reg), expect[reg]);
	}
	assert_false(uart.irq);
	assert_int_equal(uart.divisor, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_leave_in_order_and_at_once),
		cmocka_unit_test(the_divisor_is_behind_dlab),
		cmocka_unit_test(linux_finds_a_16550a),
		cmocka_unit_test(enabling_the_empty_interrupt_raises_it_every_time),
		cmocka_unit_test(writing_a_byte_ends_and_renews_the_empty_interrupt),
		cmocka_unit_test(input_raises_the_line_until_it_is_read),
		cmocka_unit_test(below_the_trigger_level_it_is_a_timeout),
		cmocka_unit_test(a_full_receiver_refuses_and_loses_nothing),
		cmocka_unit_test(clearing_the_fifo_empties_it),
		cmocka_unit_test(loopback_brings_back_what_is_sent),
		cmocka_unit_test(loopback_brings_back_a_break),
		cmocka_unit_test(modem_inputs_follow_the_outputs_in_loopback),
		cmocka_unit_test(deltas_add_up_until_they_are_read),
		cmocka_unit_test(sources_are_reported_by_priority),
		cmocka_unit_test(a_held_line_is_not_empty),
		cmocka_unit_test(loopback_does_not_wait_for_the_line),
		cmocka_unit_test(read_only_registers_ignore_writes),
		cmocka_unit_test(reset_is_power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
