/* SPDX-License-Identifier: BSD-2-Clause */
/* A UART whose registers are in memory, which is this test's. */
#include "hv/host/serial.c"
#include "tests/unit/support.h"

static volatile uint8_t registers[UART_REGISTERS];
static struct serial_port port;

enum status paging_map_device(phys_t start, uint64_t len, enum paging_cache cache)
{
	return OK;
}

static int begin(void **state)
{
	phys_offset = 0;
	port = (struct serial_port){ACPI_SPACE_MEMORY, (uintptr_t)registers, .width = 1};
	return 0;
}

static void a_byte_that_has_come_is_read(void **state)
{
	registers[UART_LINE_STATUS] = STATUS_SEND_EMPTY | STATUS_ALL_SENT;
	registers[UART_DATA] = 'x';
	assert_int_equal(serial_receive(&port), -1);
	registers[UART_LINE_STATUS] |= STATUS_DATA;
	assert_int_equal(serial_receive(&port), 'x');
}

/* A service processor that is reset, or a chip that is switched off: all registers are ones. */
static void a_uart_that_goes_away_sends_nothing(void **state)
{
	for (unsigned i = 0; i < UART_REGISTERS; i++)
		registers[i] = 0xff;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(serial_receive(&port), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_byte_that_has_come_is_read, begin),
		cmocka_unit_test_setup(a_uart_that_goes_away_sends_nothing, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
