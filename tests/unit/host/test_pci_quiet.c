/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/pci_quiet.h"

#include "tests/unit/host/pci_machine.h"

enum { BUS_MASTER = 4, STATUS = 0xf010 << 16 };

void pci_write(pci_place place, unsigned offset, uint32_t value)
{
	assert_int_equal(offset, PCI_COMMAND);
	assert_int_equal(value >> 16, 0); /* clears no status */
	find_function(place)->config[1] = (uint32_t)STATUS | value;
}

static const struct {
	pci_place place;
	uint8_t header;
	uint32_t class;
	uint16_t before, after;
} cases[] = {
	{PLACE(0, 0, 0), 0, 0x060000, 6, 6},	/* host bridge */
	{PLACE(0, 1, 0), 1, 0x060400, 7, 7},	/* bridge to bus 1 */
	{PLACE(0, 2, 0), 0, 0x030000, 7, 7},	/* display */
	{PLACE(0, 3, 0), 0x80, 0x020000, 7, 3}, /* network, two functions */
	{PLACE(0, 3, 1), 0, 0x020000, 0x506, 0x502}, {PLACE(0, 20, 0), 0, 0x0c0330, 4, 0}, /* USB */
	{PLACE(0, 31, 0), 0, 0x010601, 3, 3},	/* has not got it */
	{PLACE(1, 0, 0), 0, 0x010802, 6, 2},	/* NVMe */
	{PLACE(0x40, 5, 0), 0, 0x020000, 6, 2}, /* below another host bridge */
};

static void make_machine(void)
{
	n_functions = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		add_function(cases[i].place, cases[i].header, cases[i].class)->config[1] =
			(uint32_t)STATUS | cases[i].before;
	find_function(PLACE(0, 1, 0))->config[6] = 1 << 8;
}

static void all_but_bridges_and_displays_lose_it(void **state)
{
	make_machine();
	assert_int_equal(pci_stop_bus_masters(true), 5);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(find_function(cases[i].place)->config[1],
				 (uint32_t)STATUS | cases[i].after);
	assert_int_equal(pci_stop_bus_masters(true), 0);
}

static void only_buses_that_bridges_lead_to_are_walked_if_asked_so(void **state)
{
	make_machine();
	assert_int_equal(pci_stop_bus_masters(false), 4);
	assert_int_equal(find_function(PLACE(0x40, 5, 0))->config[1] & BUS_MASTER, BUS_MASTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_bridges_and_displays_lose_it),
		cmocka_unit_test(only_buses_that_bridges_lead_to_are_walked_if_asked_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
