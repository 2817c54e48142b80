/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/serial_find.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/host/pci_machine.h"

/* The addresses at which this machine has a UART. */
static uint64_t uarts[4];
static unsigned n_uarts;

bool serial_is_present(const struct serial_port *port)
{
	for (unsigned i = 0; i < n_uarts; i++)
		if (uarts[i] == port->address)
			return true;
	return false;
}

void pci_write(pci_place place, unsigned offset, uint32_t value)
{
	assert_int_equal(offset, PCI_COMMAND);
	find_function(place)->config[offset / 4] = value;
}

static uint8_t spcr[88];

static void start(void)
{
	memset(spcr, 0, sizeof(spcr));
	n_functions = n_uarts = 0;
}

static void add_uart(uint64_t address)
{
	uarts[n_uarts++] = address;
}

/* A table with these fields, the speed 115200. */
static void set_spcr(uint8_t type, uint8_t space, uint8_t access, uint64_t address)
{
	spcr[36] = type;
	spcr[40] = space;
	spcr[43] = access;
	memcpy(spcr + 44, &address, 8);
	spcr[58] = 7;
}

/* With a copy of exact size, so that the sanitizer sees a read beyond it. */
static struct serial_port find(size_t spcr_len)
{
	uint8_t *copy = malloc(spcr_len + 1);
	struct serial_port port;

	memcpy(copy + 1, spcr, spcr_len);
	port = serial_find(copy + 1, spcr_len);
	free(copy);
	return port;
}

static void expect(struct serial_port port, const char *name, uint64_t address)
{
	assert_string_equal(port.name, name);
	assert_int_equal(port.address, address);
}

static void com_ports_are_the_last_choice(void **state)
{
	start();
	assert_int_equal(find(0).space, ACPI_SPACE_NONE);
	add_uart(0x2f8);
	expect(find(0), "COM2", 0x2f8);
	add_uart(0x3f8);
	expect(find(0), "COM1", 0x3f8);
	assert_int_equal(find(0).space, ACPI_SPACE_IO);
}

static void a_pci_controller_comes_before_com_ports(void **state)
{
	struct pci_function *function;

	start();
	add_uart(0x3f8);
	add_uart(0xe060);
	add_function(PLACE(0, 0, 0), 0, 0x060000);
	add_function(PLACE(0, 21, 0), 0, 0x070002)->config[4] = 0xd001; /* no UART answers there */
	function = add_function(PLACE(0, 22, 0), 0, 0x070002);
	function->config[1] = 0xffff0004; /* status, and bus mastering */
	function->config[4] = 0xe061;
	function->config[5] = 0x9000000;
	expect(find(0), "PCI", 0xe060);
	assert_int_equal(find(0).space, ACPI_SPACE_IO);
	assert_int_equal(function->config[1], 5); /* decodes ports; status bits are not cleared */
}

static void a_pci_controller_may_have_its_registers_in_memory(void **state)
{
	struct pci_function *function;

	start();
	add_uart(0x3f8);
	add_uart(UINT64_C(0x1291000000));
	function = add_function(PLACE(0, 22, 0), 0, 0x070005);
	function->config[4] = 0x91000004; /* 64 bits */
	function->config[5] = 0x12;
	expect(find(0), "PCI", UINT64_C(0x1291000000));
	assert_int_equal(find(0).space, ACPI_SPACE_MEMORY);
	assert_int_equal(function->config[1], 2);
	add_uart(0x91001000);
	function->config[4] = 0;
	function->config[5] = 0x91001000;
	expect(find(0), "PCI", 0x91001000);
	function->config[9] = 0x91000004; /* the last BAR has no upper half */
	function->config[5] = 0;
	expect(find(0), "COM1", 0x3f8);
}

static void other_controllers_and_empty_ones_are_not_taken(void **state)
{
	start();
	add_uart(0x3f8);
	add_uart(0xe060);
	add_function(PLACE(0, 1, 0), 0, 0x070300)->config[4] = 0xe061; /* a modem */
	add_function(PLACE(0, 2, 0), 0, 0x070002);
	add_function(PLACE(0, 3, 0), 0, 0x070002)->config[4] = 0xfffffffd;
	expect(find(0), "COM1", 0x3f8);
}

static void the_firmware_s_port_comes_first(void **state)
{
	struct serial_port port;

	start();
	add_uart(0x3f8);
	add_uart(0xe060);
	add_uart(0x2e8);
	add_function(PLACE(0, 22, 0), 0, 0x070002)->config[4] = 0xe061;
	set_spcr(0, ACPI_SPACE_IO, 1, 0x2e8);
	port = find(80);
	expect(port, "SPCR", 0x2e8);
	assert_int_equal(port.divisor, 1);
	assert_int_equal(port.width, 1);
	n_uarts--; /* the table names a port that is not there */
	expect(find(80), "PCI", 0xe060);
}

static void spcr_tells_width_and_speed(void **state)
{
	static const struct {
		uint8_t bits, access, speed;
		uint32_t clock;
		uint8_t width;
		uint16_t divisor;
	} cases[] = {
		{8, 1, 3, 0, 1, 12},   {16, 2, 4, 0, 2, 6},	   {32, 3, 6, 1843200, 4, 2},
		{32, 0, 7, 0, 4, 1},   {16, 0, 0, 0, 2, 0},	   {0, 0, 5, 0, 1, 0},
		{32, 4, 255, 0, 4, 0}, {32, 3, 7, 48000000, 4, 0},
	};
	struct serial_port port;

	start();
	add_uart(0xfe000000);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		set_spcr(0x12, ACPI_SPACE_MEMORY, cases[i].access, 0xfe000000);
		spcr[41] = cases[i].bits;
		spcr[58] = cases[i].speed;
		memcpy(spcr + 76, &cases[i].clock, 4);
		port = find(80);
		expect(port, "SPCR", 0xfe000000);
		assert_int_equal(port.width, cases[i].width);
		assert_int_equal(port.divisor, cases[i].divisor);
	}
	port = find(76); /* the first revision has no clock */
	assert_int_equal(port.divisor, 1);
}

static void an_spcr_that_is_of_no_use_is_passed_over(void **state)
{
	start();
	add_uart(0x3f8);
	add_uart(0);
	add_uart(0x1000);
	add_uart(0x10000);
	set_spcr(3, ACPI_SPACE_MEMORY, 3, 0x1000); /* a PL011 */
	expect(find(80), "COM1", 0x3f8);
	set_spcr(0, ACPI_SPACE_IO, 1, 0);
	expect(find(80), "COM1", 0x3f8);
	set_spcr(0, ACPI_SPACE_IO, 1, 0x10000);
	expect(find(80), "COM1", 0x3f8);
	set_spcr(0, ACPI_SPACE_PCI, 1, 0x1000);
	expect(find(80), "COM1", 0x3f8);
	set_spcr(0, ACPI_SPACE_IO, 1, 0x1000);
	expect(find(75), "COM1", 0x3f8); /* cut off */
	expect(find(76), "SPCR", 0x1000);
	set_spcr(1, ACPI_SPACE_IO, 1, 0x1000); /* a 16450 */
	expect(find(76), "SPCR", 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(com_ports_are_the_last_choice),
		cmocka_unit_test(a_pci_controller_comes_before_com_ports),
		cmocka_unit_test(a_pci_controller_may_have_its_registers_in_memory),
		cmocka_unit_test(other_controllers_and_empty_ones_are_not_taken),
		cmocka_unit_test(the_firmware_s_port_comes_first),
		cmocka_unit_test(spcr_tells_width_and_speed),
		cmocka_unit_test(an_spcr_that_is_of_no_use_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
