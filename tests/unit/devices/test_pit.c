/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/pit.h"

#include "hv/devices/lapic_timer.h"
#include "hv/devices/tick.h"
#include "tests/unit/support.h"

/* A TSC of which three cycles are a tick, so that times are easy to follow. */
#define HZ	 (UINT64_C(3) * PIT_HZ)
#define AT(t)	 (UINT64_C(3) * (t))
#define BEGIN	 100000
#define AFTER(t) (BEGIN + AT(t))
#define NEVER	 UINT64_MAX

static struct pit pit;

static void program(unsigned channel, unsigned mode, unsigned count)
{
	pit_write(&pit, 3, (uint8_t)(channel << 6 | 0x30 | mode << 1), BEGIN);
	pit_write(&pit, channel, (uint8_t)count, BEGIN);
	pit_write(&pit, channel, (uint8_t)(count >> 8), BEGIN);
}

static void begin(void)
{
	lapic_min_period = 0;
	pit_reset(&pit, HZ);
}

static unsigned latched(unsigned channel, uint64_t now)
{
	unsigned low;

	pit_write(&pit, 3, (uint8_t)(channel << 6), now);
	low = pit_read(&pit, channel, now + AT(5));
	return (unsigned)pit_read(&pit, channel, now + AT(9)) << 8 | low;
}

static void a_tick_is_the_same_both_ways(void **state)
{
	static const uint64_t hz[] = {PIT_HZ, PIT_HZ + 1, 999999999, 2995200000, BIT(39)};

	for (size_t i = 0; i < ARRAY_SIZE(hz); i++)
		for (uint64_t t = 0; t < 200000000; t += 1234567) {
			uint64_t time = tick_time(t, hz[i], PIT_HZ);

			assert_int_equal(tick_count(time, hz[i], PIT_HZ), t);
			if (time > 0)
				assert_true(tick_count(time - 1, hz[i], PIT_HZ) < t);
		}
}

static void after_power_on_it_ticks_18_times_a_second(void **state)
{
	begin();
	assert_int_equal(pit_next_edge(&pit, 0), AT(65536));
	assert_int_equal(latched(1, AT(10)), 65536 - 20);
	assert_int_equal(pit_read(&pit, 3, 0), 0xff);
}

static void a_count_ends_once(void **state)
{
	begin();
	program(0, 0, 100);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(100));
	assert_int_equal(latched(0, AFTER(1)), 99);
	assert_false(pit_take_edge(&pit, AFTER(100) - 1));
	assert_true(pit_take_edge(&pit, AFTER(100)));
	assert_int_equal(pit_next_edge(&pit, AFTER(100)), NEVER);
	assert_false(pit_take_edge(&pit, AFTER(70000)));
	assert_int_equal(latched(0, AFTER(101)), 0xffff);
	/* The first byte of a new count stops the old one. */
	program(0, 0, 100);
	pit_write(&pit, 0, 1, AFTER(50));
	assert_int_equal(pit_next_edge(&pit, AFTER(50)), NEVER);
	pit_write(&pit, 0, 1, AFTER(60));
	assert_int_equal(pit_next_edge(&pit, AFTER(60)), AFTER(60 + 257));
}

static void a_rate_goes_on(void **state)
{
	for (unsigned mode = 2; mode <= 3; mode++) {
		begin();
		program(0, mode + (mode == 3 ? 4 : 0), 1000);
		for (unsigned i = 1; i < 5; i++) {
			assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(1000 * i));
			assert_false(pit_take_edge(&pit, AFTER(1000 * i) - 1));
			assert_true(pit_take_edge(&pit, AFTER(1000 * i)));
		}
		/* Periods without a look are one edge. */
		assert_true(pit_take_edge(&pit, AFTER(100500)));
		assert_false(pit_take_edge(&pit, AFTER(100500)));
		assert_int_equal(pit_next_edge(&pit, AFTER(100500)), AFTER(101000));
		assert_int_equal(latched(0, AFTER(100250)), mode == 2 ? 750 : 500);
	}
}

static void a_rate_of_edges_has_a_limit(void **state)
{
	begin();
	lapic_min_period = AT(500);
	program(0, 2, 2);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(2));
	assert_true(pit_take_edge(&pit, AFTER(2)));
	assert_int_equal(pit_next_edge(&pit, AFTER(2)), AFTER(502));
	assert_false(pit_take_edge(&pit, AFTER(502) - 1));
	assert_true(pit_take_edge(&pit, AFTER(502)));
	lapic_min_period = 0;
}

static void a_strobe_is_one_tick(void **state)
{
	begin();
	program(0, 4, 10);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(11));
	pit_set_gate(&pit, true, BEGIN);
	program(2, 4, 10);
	assert_true(pit_output(&pit, AFTER(10) - 1));
	assert_false(pit_output(&pit, AFTER(10)));
	assert_true(pit_output(&pit, AFTER(11)));
}

static void the_output_follows_the_mode(void **state)
{
	begin();
	pit_set_gate(&pit, true, BEGIN);
	program(2, 0, 10);
	assert_false(pit_output(&pit, AFTER(10) - 1));
	assert_true(pit_output(&pit, AFTER(10)));
	program(2, 2, 10);
	assert_true(pit_output(&pit, AFTER(8)));
	assert_false(pit_output(&pit, AFTER(19)));
	assert_true(pit_output(&pit, AFTER(20)));
	program(2, 3, 11);
	assert_true(pit_output(&pit, AFTER(5)));
	assert_false(pit_output(&pit, AFTER(6)));
	assert_true(pit_output(&pit, AFTER(11)));
	/* A mode without a count. */
	pit_write(&pit, 3, 0xb0, BEGIN);
	assert_false(pit_output(&pit, AFTER(1)));
	pit_write(&pit, 3, 0xb4, BEGIN);
	assert_true(pit_output(&pit, AFTER(1)));
}

static void the_gate_stops_a_count(void **state)
{
	begin();
	pit_set_gate(&pit, true, BEGIN);
	program(2, 0, 100);
	pit_set_gate(&pit, false, AFTER(40));
	assert_int_equal(latched(2, AFTER(1000)), 60);
	pit_set_gate(&pit, false, AFTER(1000));
	pit_set_gate(&pit, true, AFTER(1000));
	assert_int_equal(latched(2, AFTER(1010)), 50);
	assert_false(pit_output(&pit, AFTER(1060) - 1));
	assert_true(pit_output(&pit, AFTER(1060)));
}

static void the_gate_begins_a_period(void **state)
{
	begin();
	pit_set_gate(&pit, true, BEGIN);
	program(2, 2, 10);
	pit_set_gate(&pit, false, AFTER(9));
	assert_true(pit_output(&pit, AFTER(9)));
	pit_set_gate(&pit, true, AFTER(15));
	assert_true(pit_output(&pit, AFTER(23)));
	assert_false(pit_output(&pit, AFTER(24)));
}

static void the_gate_triggers_a_one_shot(void **state)
{
	begin();
	program(2, 1, 10);
	assert_true(pit_output(&pit, AFTER(5)));
	pit_set_gate(&pit, true, AFTER(5));
	assert_false(pit_output(&pit, AFTER(5)));
	pit_set_gate(&pit, false, AFTER(8));
	assert_false(pit_output(&pit, AFTER(14)));
	assert_true(pit_output(&pit, AFTER(15)));
	pit_set_gate(&pit, true, AFTER(20));
	assert_false(pit_output(&pit, AFTER(21)));
	/* A mode without a count is not triggered. */
	pit_set_gate(&pit, false, AFTER(30));
	pit_write(&pit, 3, 0xb4, AFTER(30));
	pit_set_gate(&pit, true, AFTER(31));
	assert_true(pit_output(&pit, AFTER(400)));
	/* Nothing triggers channel 0. */
	program(0, 1, 10);
	assert_int_equal(pit_next_edge(&pit, AFTER(40)), NEVER);
}

static void a_count_can_be_decimal(void **state)
{
	begin();
	pit_write(&pit, 3, 0x31, BEGIN);
	pit_write(&pit, 0, 0x34, BEGIN);
	pit_write(&pit, 0, 0x12, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(1234));
	assert_int_equal(latched(0, AFTER(1)), 0x1233);
	assert_int_equal(latched(0, AFTER(1235)), 0x9999);
	pit_write(&pit, 0, 0, BEGIN);
	pit_write(&pit, 0, 0, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(10000));
}

static void one_byte_of_a_count_suffices(void **state)
{
	begin();
	pit_write(&pit, 3, 0x10, BEGIN);
	pit_write(&pit, 0, 200, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(200));
	assert_int_equal(pit_read(&pit, 0, AFTER(10)), 190);
	assert_int_equal(pit_read(&pit, 0, AFTER(11)), 189);
	pit_write(&pit, 3, 0x20, BEGIN);
	pit_write(&pit, 0, 2, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(512));
	assert_int_equal(pit_read(&pit, 0, AFTER(1)), 1);
	pit_write(&pit, 3, 0x34, BEGIN);
	pit_write(&pit, 0, 0, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), NEVER);
	pit_write(&pit, 0, 0, BEGIN);
	assert_int_equal(pit_next_edge(&pit, BEGIN), AFTER(65536));
}

static void bytes_are_read_in_turns(void **state)
{
	begin();
	program(0, 0, 0x1234);
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0x34);
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0x12);
	/* A second latch command waits until the first has been read. */
	pit_write(&pit, 3, 0, AFTER(0x34));
	pit_write(&pit, 3, 0, AFTER(0x234));
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0);
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0x12);
	assert_int_equal(pit_read(&pit, 0, AFTER(4)), 0x30);
}

static void the_status_is_read_first(void **state)
{
	begin();
	program(0, 2, 0x1000);
	pit_write(&pit, 3, 0xc2, AFTER(0x10)); /* count and status of channel 0 */
	pit_write(&pit, 3, 0xc2, AFTER(0x20)); /* too early */
	assert_int_equal(pit_read(&pit, 0, AFTER(0x30)), 0xb4);
	assert_int_equal(pit_read(&pit, 0, AFTER(0x30)), 0xf0);
	assert_int_equal(pit_read(&pit, 0, AFTER(0x30)), 0x0f);
	pit_write(&pit, 3, 0x16, BEGIN); /* no count: null, output high */
	pit_write(&pit, 3, 0xee, BEGIN); /* status of all */
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0xd6);
	assert_int_equal(pit_read(&pit, 1, BEGIN), 0x36);
	assert_int_equal(pit_read(&pit, 2, BEGIN), 0xb6);
	pit_write(&pit, 3, 0xd2, BEGIN); /* the count only */
	assert_int_equal(pit_read(&pit, 0, BEGIN), 0);
}

static void a_count_survives_another_clock(void **state)
{
	begin();
	program(0, 2, 1000);
	program(2, 0, 5000);
	pit_set_gate(&pit, true, BEGIN);
	program(2, 0, 5000);
	pit.tsc_hz = 10 * HZ; /* of the machine that has loaded it */
	pit_catch_up(&pit, HZ, AFTER(300));
	assert_int_equal(latched(0, AFTER(300)), 700);
	assert_int_equal(latched(2, AFTER(300) + 10 * AT(7)), 4693);
	assert_int_equal(pit_next_edge(&pit, AFTER(300)), AFTER(300) + 10 * AT(700));
	pit_catch_up(&pit, HZ, 0); /* a time before the count began */
	assert_int_equal(latched(0, 0), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tick_is_the_same_both_ways),
		cmocka_unit_test(after_power_on_it_ticks_18_times_a_second),
		cmocka_unit_test(a_count_ends_once),
		cmocka_unit_test(a_rate_goes_on),
		cmocka_unit_test(a_rate_of_edges_has_a_limit),
		cmocka_unit_test(a_strobe_is_one_tick),
		cmocka_unit_test(the_output_follows_the_mode),
		cmocka_unit_test(the_gate_stops_a_count),
		cmocka_unit_test(the_gate_begins_a_period),
		cmocka_unit_test(the_gate_triggers_a_one_shot),
		cmocka_unit_test(a_count_can_be_decimal),
		cmocka_unit_test(one_byte_of_a_count_suffices),
		cmocka_unit_test(bytes_are_read_in_turns),
		cmocka_unit_test(the_status_is_read_first),
		cmocka_unit_test(a_count_survives_another_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
