/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "hv/host/wdat_parse.h"
#include "tests/unit/host/watchdog_timer.h"

static struct table table;
static struct wdat wdat;

/* From a copy of exact size, so that the sanitizer sees a read beyond it. */
static enum status parse_len(uint64_t len)
{
	void *copy = malloc(len);
	enum status status;

	memcpy(copy, &table, len);
	status = wdat_parse(copy, len, &wdat);
	free(copy);
	return status;
}

static enum status parse(void)
{
	return parse_len(table_len(&table));
}

static void a_sound_table_is_read(void **state)
{
	put_table(&table);
	assert_int_equal(parse(), OK);
	assert_int_equal(wdat.period_ms, 1200);
	assert_int_equal(wdat.min_count, 4);
	assert_int_equal(wdat.max_count, 0x3ff);
	assert_int_equal(wdat.n_steps, 6);
	assert_true(wdat_has(&wdat, WDAT_SET_REBOOT));
	assert_false(wdat_has(&wdat, WDAT_GET_STATUS));
	table.min_count = 0; /* would reset at once */
	assert_int_equal(parse(), OK);
	assert_int_equal(wdat.min_count, 1);
}

static void a_timer_that_is_off_or_on_pci_is_none(void **state)
{
	put_table(&table);
	table.flags = 0x80;
	assert_int_equal(parse(), ERR_NOTFOUND);
	put_table(&table);
	table.pci_segment = 0;
	assert_int_equal(parse(), ERR_NOTFOUND);
}

static void a_table_that_contradicts_itself_is_refused(void **state)
{
	put_table(&table);
	for (uint64_t len = 0; len < table_len(&table); len++)
		assert_int_equal(parse_len(len), ERR_CORRUPT);
	table.period_ms = 0;
	assert_int_equal(parse(), ERR_CORRUPT);
	put_table(&table);
	table.max_count = 0;
	assert_int_equal(parse(), ERR_CORRUPT);
	put_table(&table);
	table.min_count = table.max_count + 1;
	assert_int_equal(parse(), ERR_CORRUPT);
	put_table(&table);
	table.n_entries = UINT32_MAX;
	assert_int_equal(parse_len(sizeof(table)), ERR_CORRUPT);
}

static void more_entries_than_fit_are_refused(void **state)
{
	put_table(&table);
	for (unsigned i = table.n_entries; i < ARRAY_SIZE(table.entry); i++)
		table.entry[i] = table.entry[0];
	table.n_entries = WDAT_STEPS_MAX;
	assert_int_equal(parse(), OK);
	table.n_entries++;
	assert_int_equal(parse(), ERR_UNSUPPORTED);
}

static void each_needed_action_is_needed(void **state)
{
	static const uint8_t needed[] = {WDAT_RESET, WDAT_SET_COUNTDOWN, WDAT_SET_RUNNING,
					 WDAT_SET_STOPPED};

	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
		put_table(&table);
		for (unsigned j = 0; j < table.n_entries; j++)
			if (table.entry[j].action == needed[i])
				table.entry[j].action = 0xee;
		assert_int_equal(parse(), ERR_UNSUPPORTED);
	}
}

static void registers_that_no_timer_has_are_refused(void **state)
{
	static const struct {
		uint8_t instruction, space, width, offset, access;
		uint64_t address;
		enum status status;
	} cases[] = {
		{2, 1, 16, 0, 2, 0x660, OK},
		{2, 1, 16, 0, 0, 0x660, OK}, /* access not told: the width */
		{2, 1, 8, 0, 0, 0xffff, OK},
		{2, 0, 32, 31, 3, 0xfed00000, OK},
		{0x83, 0, 32, 0, 3, UINT64_MAX - 3, OK},  /* cannot be mapped later */
		{4, 1, 16, 0, 2, 0x660, ERR_UNSUPPORTED}, /* no such instruction */
		{2, 1, 64, 0, 4, 0x660, ERR_UNSUPPORTED},
		{2, 1, 64, 0, 0, 0x660, ERR_UNSUPPORTED},
		{2, 1, 0, 0, 0, 0x660, ERR_UNSUPPORTED},
		{2, 1, 16, 0, 0xff, 0x660, ERR_UNSUPPORTED},
		{2, 1, 16, 16, 2, 0x660, ERR_UNSUPPORTED}, /* beyond the register */
		{2, 1, 32, 0xff, 3, 0x660, ERR_UNSUPPORTED},
		{2, 1, 16, 0, 2, 0xffff, ERR_UNSUPPORTED}, /* sticks out */
		{2, 1, 16, 0, 2, 0x10660, ERR_UNSUPPORTED},
		{2, 1, 16, 0, 2, UINT64_MAX, ERR_UNSUPPORTED},
		{2, 1, 8, 0, 1, 0x6f, OK},
		{2, 1, 16, 0, 2, 0x6f, ERR_UNSUPPORTED}, /* the real-time clock's */
		{2, 1, 8, 0, 1, 0x77, ERR_UNSUPPORTED},
		{2, 1, 8, 0, 1, 0x78, OK},
		{2, 0, 16, 0, 2, 0xfed00001, ERR_UNSUPPORTED}, /* not aligned */
		{2, 0, 16, 0, 2, 0, ERR_UNSUPPORTED},
		{2, 2, 16, 0, 2, 0x660, ERR_UNSUPPORTED}, /* configuration space */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		put_table(&table);
		table.entry[0].instruction = cases[i].instruction;
		table.entry[0].space = cases[i].space;
		table.entry[0].bit_width = cases[i].width;
		table.entry[0].bit_offset = cases[i].offset;
		table.entry[0].access_size = cases[i].access;
		table.entry[0].address = cases[i].address;
		assert_int_equal(parse(), cases[i].status);
	}
}

/* Every byte of the table, with some values each: nothing is read or written outside. */
static void no_single_wrong_byte_leads_out_of_bounds(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	for (unsigned i = 0; i < 68 + 6 * sizeof(struct entry); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(values); j++) {
			put_table(&table);
			((uint8_t *)&table)[i] = values[j];
			if (parse_len(68 + 6 * sizeof(struct entry)) != OK)
				continue;
			for (unsigned k = 0; k < wdat.n_steps; k++) {
				const struct wdat_step *step = &wdat.step[k];

				assert_in_range(step->shift, 0, 8 * step->size - 1);
				if (step->reg.space == ACPI_SPACE_IO)
					assert_in_range(step->reg.address, 0, 0x10000 - step->size);
			}
		}
}

static void a_field_is_changed_and_asked_for(void **state)
{
	put_table(&table);
	assert_int_equal(parse(), OK);
	set_port(0x668, 0xfda5);
	assert_false(wdat_run(&wdat, WDAT_GET_RUNNING, 0));
	assert_true(wdat_run(&wdat, WDAT_SET_RUNNING, 0));
	assert_int_equal(port(0x668), 0xf5a5);
	assert_true(wdat_run(&wdat, WDAT_GET_RUNNING, 0));
	assert_true(wdat_run(&wdat, WDAT_SET_STOPPED, 0));
	assert_int_equal(port(0x668), 0xfda5);
	set_port(0x672, 0xfc04);
	assert_true(wdat_run(&wdat, WDAT_SET_COUNTDOWN, 0x1234)); /* too wide for the field */
	assert_int_equal(port(0x672), 0xfe34);
	set_port(0x660, 0xffff);
	assert_true(wdat_run(&wdat, WDAT_RESET, 7)); /* keeps nothing, and has no operand */
	assert_int_equal(port(0x660), 1);
}

static void the_countdown_is_not_asked_for(void **state)
{
	put_table(&table);
	table.entry[0].instruction = WDAT_READ_COUNTDOWN;
	assert_int_equal(parse(), OK);
	n_writes = 0;
	assert_true(wdat_run(&wdat, WDAT_RESET, 0));
	assert_int_equal(n_writes, 0);
}

static void an_action_without_steps_does_nothing(void **state)
{
	put_table(&table);
	assert_int_equal(parse(), OK);
	n_writes = 0;
	assert_false(wdat_run(&wdat, WDAT_SET_STATUS, 0));
	assert_int_equal(n_writes, 0);
}

static void all_steps_of_an_action_are_carried_out(void **state)
{
	put_table(&table);
	table.entry[6] = table.entry[0];
	table.entry[6].address = 0x700;
	table.n_entries = 7;
	assert_int_equal(parse(), OK);
	set_port(0x660, 0);
	set_port(0x700, 0);
	assert_true(wdat_run(&wdat, WDAT_RESET, 0));
	assert_int_equal(port(0x660), 1);
	assert_int_equal(port(0x700), 1);
	/* A field with another value than asked for does not keep the other steps back. */
	table.entry[0].instruction = WDAT_READ_VALUE;
	table.entry[0].value = 5;
	set_port(0x700, 0);
	assert_int_equal(parse(), OK);
	assert_false(wdat_run(&wdat, WDAT_RESET, 0));
	assert_int_equal(port(0x700), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_table_is_read),
		cmocka_unit_test(a_timer_that_is_off_or_on_pci_is_none),
		cmocka_unit_test(a_table_that_contradicts_itself_is_refused),
		cmocka_unit_test(more_entries_than_fit_are_refused),
		cmocka_unit_test(each_needed_action_is_needed),
		cmocka_unit_test(registers_that_no_timer_has_are_refused),
		cmocka_unit_test(no_single_wrong_byte_leads_out_of_bounds),
		cmocka_unit_test(a_field_is_changed_and_asked_for),
		cmocka_unit_test(the_countdown_is_not_asked_for),
		cmocka_unit_test(an_action_without_steps_does_nothing),
		cmocka_unit_test(all_steps_of_an_action_are_carried_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
