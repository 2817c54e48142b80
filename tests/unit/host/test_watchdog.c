/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/cpu.h"
#include "hv/host/paging.h"
#include "hv/host/pci.h"
#include "hv/host/watchdog_find.h"
#include "hv/host/watchdog_round.h"
#include "tests/unit/host/watchdog_timer.h"

enum { RELOAD = 0x660, STATUS_2 = 0x666, CONTROL = 0x668, COUNT = 0x672 };
enum { HALT = 1 << 11, NO_REBOOT = 1 << 5, GCS_OTHERS = 0x81 };

#define ONLY_ONCE (UINT64_C(1) << 62)

uint64_t tsc_hz;
unsigned n_cpus;
static uint32_t bridge[64]; /* configuration space of the function 00:1f.0 */
static bool page_is_memory, page_has_no_room;
static struct table table;

uint32_t pci_read(pci_place place, unsigned offset)
{
	assert_int_equal(place, 31 << 3);
	return bridge[offset / 4];
}

bool paging_probe(uint64_t virt, bool write)
{
	return page_is_memory && virt >= DEVICE_PAGE && virt < DEVICE_PAGE + sizeof(device);
}

bool acpi_register_map(struct acpi_register reg)
{
	return reg.space == ACPI_SPACE_IO || (reg.space == ACPI_SPACE_MEMORY && !page_has_no_room);
}

/* A machine with an ICH9, whose timer is halted. */
static int make_machine(void **state)
{
	memset(bridge, 0xff, sizeof(bridge));
	bridge[0] = 0x29188086;
	bridge[0x40 / 4] = 0x601;
	bridge[0x44 / 4] = 0x80;
	bridge[0xf0 / 4] = (0xfed1c000) | 1;
	memset(ports, 0, sizeof(ports));
	memset(device, 0, sizeof(device));
	device[GCS] = GCS_OTHERS | NO_REBOOT;
	set_port(CONTROL, HALT);
	put_table(&table);
	watchdog = (struct watchdog){0};
	tsc_hz = 0;
	page_is_memory = page_has_no_room = false;
	fixed_bits = 0;
	n_writes = 0;
	log_reset();
	return 0;
}

static void find(void)
{
	watchdog_find(NULL, 0);
}

static void find_in_table(void)
{
	watchdog_find(&table, table_len(&table));
}

static void the_timer_of_the_chipset_starts_and_stops(void **state)
{
	find();
	assert_int_equal(watchdog.kind, WATCHDOG_TCO);
	assert_string_equal(watchdog.tco.chipset, "Intel ICH9");
	set_port(COUNT, 0xfc04);
	assert_null(watchdog_start(30));
	assert_int_equal(port(COUNT), 0xfc00 | 25); /* twice 25 ticks of 0.6 seconds */
	assert_int_equal(port(CONTROL), 0);
	assert_int_equal(device[GCS], GCS_OTHERS);
	assert_int_equal(port(RELOAD), 1);
	assert_string_equal(logged, "watchdog: Intel ICH9, 30 seconds\n");
	watchdog_stop();
	assert_int_equal(port(CONTROL), HALT);
	assert_int_equal(device[GCS], GCS_OTHERS | NO_REBOOT);
	assert_false(watchdog.is_on);
}

static void a_timer_of_a_table_comes_first(void **state)
{
	find_in_table();
	assert_int_equal(watchdog.kind, WATCHDOG_WDAT);
	assert_null(watchdog_start(30));
	assert_int_equal(port(COUNT), 25);
	assert_int_equal(port(CONTROL), 0);
	assert_int_equal(device[GCS], GCS_OTHERS); /* its action SET_REBOOT */
	assert_int_equal(port(RELOAD), 1);
	assert_string_equal(logged, "watchdog: ACPI table WDAT, 30 seconds\n");
	watchdog_stop();
	assert_int_equal(port(CONTROL), HALT);
}

static void a_table_without_optional_actions_works(void **state)
{
	table.entry[2].action = table.entry[5].action = 0xee; /* GET_RUNNING, SET_REBOOT */
	find_in_table();
	assert_null(watchdog_start(30));
	assert_int_equal(port(CONTROL), 0);
}

static void a_table_with_registers_in_memory_of_others_is_not_used(void **state)
{
	page_is_memory = true;
	find_in_table();
	assert_int_equal(watchdog.kind, WATCHDOG_TCO);
	assert_string_equal(logged, "warning: ACPI table WDAT is not used: its actions are not "
				    "supported\n");
	log_reset();
	watchdog_find(&table, 80);
	assert_string_equal(logged, "warning: ACPI table WDAT is not used: it is damaged\n");
}

static void a_timer_whose_registers_cannot_be_mapped_is_none(void **state)
{
	page_has_no_room = true;
	find_in_table();
	assert_int_equal(watchdog.kind, WATCHDOG_NONE);
	assert_string_equal(logged, "warning: ACPI table WDAT is not used: its actions are not "
				    "supported\n");
	assert_non_null(watchdog_start(30));
	assert_false(watchdog.is_on);
	assert_int_equal(n_writes, 0);
}

static void a_timer_that_the_firmware_uses_itself_is_passed_over(void **state)
{
	table.flags = 0;
	find_in_table();
	assert_int_equal(watchdog.kind, WATCHDOG_TCO);
	assert_string_equal(logged, "");
}

static void a_timer_that_was_left_running_is_stopped(void **state)
{
	static const char said[] = "watchdog: stopped, the firmware has left it running\n";

	set_port(CONTROL, 0);
	find(); /* may not reset the machine */
	assert_string_equal(logged, "");
	device[GCS] = GCS_OTHERS;
	find();
	assert_string_equal(logged, said);
	assert_int_equal(port(CONTROL), HALT);
	make_machine(NULL);
	set_port(CONTROL, 0);
	find_in_table();
	assert_string_equal(logged, said);
	assert_int_equal(port(CONTROL), HALT);
}

static void expect_refused(unsigned seconds, const char *reason)
{
	assert_string_equal(watchdog_start(seconds), reason);
	assert_false(watchdog.is_on);
}

static void machines_without_a_timer_refuse(void **state)
{
	bridge[0] = 0xa3058086; /* of the 100 series */
	find();
	assert_int_equal(watchdog.kind, WATCHDOG_NONE);
	expect_refused(30, "this machine has no watchdog that Stencil knows: no usable ACPI table "
			   "WDAT, and the PCI device 00:1f.0 (8086:a305) is no Intel chipset from "
			   "ICH9 to the 9 series");
	bridge[0] = 0x24108086; /* of before ICH9 */
	find();
	assert_int_equal(watchdog.kind, WATCHDOG_NONE);
	bridge[0] = 0x29181022; /* the same number of another maker */
	find();
	assert_int_equal(watchdog.kind, WATCHDOG_NONE);
	watchdog_stop();
	watchdog_feed();
	assert_int_equal(n_writes, 0);
}

static void a_hidden_timer_is_refused(void **state)
{
	static const char hidden[] = "the firmware has hidden this machine's watchdog";
	static const unsigned places[] = {0x40, 0x44, 0xf0};

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		make_machine(NULL);
		bridge[places[i] / 4] = 0;
		find();
		expect_refused(30, hidden);
	}
}

static void a_board_that_forbids_the_reset_is_refused(void **state)
{
	static const uint8_t actions[] = {WDAT_SET_COUNTDOWN, WDAT_SET_RUNNING, WDAT_RESET};

	fixed_bits = NO_REBOOT;
	find();
	expect_refused(30, "this machine's board does not let its watchdog reset it");
	assert_int_equal(port(CONTROL), HALT);
	fixed_bits = 0;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		make_machine(NULL);
		table.entry[6] = table.entry[2]; /* asks whether the register has the value */
		table.entry[6].action = actions[i];
		table.entry[6].value = 2; /* of one bit */
		table.n_entries = 7;
		find_in_table();
		expect_refused(30, "this machine's board does not let its watchdog reset it");
		assert_int_equal(port(CONTROL), HALT);
	}
}

static void seconds_out_of_range_are_refused(void **state)
{
	find();
	expect_refused(4, "this machine's watchdog takes at least 5 seconds");
	assert_null(watchdog_start(5));
	watchdog_stop();
	assert_null(watchdog_start(1227));
	watchdog_stop();
	expect_refused(1229, "this machine's watchdog takes at most 1227 seconds");
	expect_refused(UINT32_MAX, "this machine's watchdog takes at most 1227 seconds");
	table.period_ms = 60000;
	table.min_count = 2;
	table.max_count = 3;
	find_in_table();
	expect_refused(119, "this machine's watchdog takes at least 120 seconds");
	assert_null(watchdog_start(239));
	watchdog_stop();
	expect_refused(240, "this machine's watchdog takes at most 180 seconds");
}

static void a_reset_by_the_timer_is_told_once(void **state)
{
	find();
	set_port(STATUS_2, 2);
	assert_null(watchdog_start(30));
	assert_non_null(strstr(logged, "warning: the watchdog has ended the last run\n"));
	assert_int_equal(port(STATUS_2), 2); /* written, which clears it on a real one */
	set_port(STATUS_2, 4);
	log_reset();
	assert_null(watchdog_start(30));
	assert_null(strstr(logged, "warning"));
	assert_int_equal(port(STATUS_2), 4);
}

static void a_table_tells_of_a_reset_that_can_be_forgotten(void **state)
{
	static const char said[] = "warning: the watchdog has ended the last run\n";

	table.entry[6] = table.entry[2];
	table.entry[6].action = WDAT_GET_STATUS;
	table.entry[6].bit_offset = 1;
	table.entry[6].address = STATUS_2;
	table.entry[6].value = 1;
	table.entry[7] = table.entry[6];
	table.entry[7].action = WDAT_SET_STATUS;
	table.entry[7].instruction = WDAT_WRITE_VALUE;
	table.n_entries = 8;
	find_in_table();
	assert_null(watchdog_start(30));
	assert_null(strstr(logged, said));
	set_port(STATUS_2, 2);
	assert_null(watchdog_start(30));
	assert_non_null(strstr(logged, said));
	log_reset();
	table.n_entries = 7; /* it would be told after each start */
	watchdog = (struct watchdog){0};
	find_in_table();
	assert_null(watchdog_start(30));
	assert_null(strstr(logged, said));
}

static void a_timer_of_a_table_is_fed(void **state)
{
	find_in_table();
	assert_null(watchdog_start(30));
	set_port(RELOAD, 0);
	watchdog_feed();
	assert_int_equal(port(RELOAD), 1);
}

static void it_is_fed_once_a_second(void **state)
{
	find();
	assert_null(watchdog_start(30));
	set_port(RELOAD, 0);
	watchdog_feed();
	assert_int_equal(port(RELOAD), 1);
	tsc_hz = ONLY_ONCE;
	watchdog_feed();
	set_port(RELOAD, 0);
	watchdog_feed();
	assert_int_equal(port(RELOAD), 0);
}

static void rounds_need_all_processors(void **state)
{
	struct watchdog_round round = {0};
	uint32_t passed[3] = {0};

	for (unsigned i = 0; i < 3; i++) {
		assert_false(watchdog_round_pass(&round, &passed[2], 3));
		assert_false(watchdog_round_pass(&round, &passed[2], 3));
		assert_false(watchdog_round_pass(&round, &passed[0], 3));
		assert_false(watchdog_round_pass(&round, &passed[2], 3));
		assert_true(watchdog_round_pass(&round, &passed[1], 3));
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(watchdog_round_pass(&round, &passed[0], 1));
}

static void one_processor_that_hangs_starves_it(void **state)
{
	static struct cpu cpu[2];

	find();
	assert_null(watchdog_start(30));
	n_cpus = 2;
	set_port(RELOAD, 0);
	for (unsigned i = 0; i < 5; i++)
		watchdog_pass(&cpu[0]);
	assert_int_equal(port(RELOAD), 0);
	watchdog_pass(&cpu[1]);
	assert_int_equal(port(RELOAD), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(machines_without_a_timer_refuse, make_machine),
		cmocka_unit_test_setup(the_timer_of_the_chipset_starts_and_stops, make_machine),
		cmocka_unit_test_setup(a_timer_of_a_table_comes_first, make_machine),
		cmocka_unit_test_setup(a_table_without_optional_actions_works, make_machine),
		cmocka_unit_test_setup(a_table_with_registers_in_memory_of_others_is_not_used,
				       make_machine),
		cmocka_unit_test_setup(a_timer_whose_registers_cannot_be_mapped_is_none,
				       make_machine),
		cmocka_unit_test_setup(a_timer_that_the_firmware_uses_itself_is_passed_over,
				       make_machine),
		cmocka_unit_test_setup(a_timer_that_was_left_running_is_stopped, make_machine),
		cmocka_unit_test_setup(a_hidden_timer_is_refused, make_machine),
		cmocka_unit_test_setup(seconds_out_of_range_are_refused, make_machine),
		cmocka_unit_test_setup(a_reset_by_the_timer_is_told_once, make_machine),
		cmocka_unit_test_setup(a_board_that_forbids_the_reset_is_refused, make_machine),
		cmocka_unit_test_setup(rounds_need_all_processors, make_machine),
		cmocka_unit_test_setup(one_processor_that_hangs_starves_it, make_machine),
		cmocka_unit_test_setup(a_table_tells_of_a_reset_that_can_be_forgotten,
				       make_machine),
		cmocka_unit_test_setup(a_timer_of_a_table_is_fed, make_machine),
		/* The last: then it is not fed any more. */
		cmocka_unit_test_setup(it_is_fed_once_a_second, make_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
