/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/hpet.h"

#include "hv/devices/lapic_timer.h"
#include "tests/unit/support.h"

/* A TSC of which three cycles are a tick. */
#define HZ	 (UINT64_C(3) * HPET_HZ)
#define AT(t)	 (UINT64_C(3) * (t))
#define BEGIN	 UINT64_C(5000)
#define AFTER(t) (BEGIN + AT(t))
#define NEVER	 UINT64_MAX
#define ALL	 UINT32_MAX

enum { CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };
#define TIMER(n)      (0x100 + 0x20 * (n))
#define COMPARATOR(n) (TIMER(n) + 8)

enum { LEVEL = 2, ENABLE = 4, PERIODIC = 8, SETS_VALUE = 0x40, BITS_32 = 0x100 };
#define ROUTE(gsi) ((unsigned)(gsi) << 9)

static struct hpet hpet;

static void put(uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	hpet_write(&hpet, &(struct io_access){.off = off, .size = size, .value = value}, now);
}

static uint64_t get(uint64_t off, uint64_t now)
{
	return hpet_read(&hpet, off, now);
}

static void begin(unsigned config)
{
	hpet_reset(&hpet, HZ);
	put(CONFIG, 4, config, BEGIN);
}

static void registers_are_qemus(void **state)
{
	hpet_reset(&hpet, HZ);
	assert_int_equal(get(0, BEGIN), UINT64_C(0x989680) << 32 | HPET_ID);
	assert_int_equal((uint32_t)get(4, BEGIN), 10000000); /* femtoseconds */
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(get(TIMER(n), BEGIN), UINT64_C(0x104) << 32 | 0x30);
		assert_int_equal(get(COMPARATOR(n), BEGIN), UINT64_MAX);
		assert_int_equal(get(TIMER(n) + 0x10, BEGIN), 0); /* no FSB route */
		put(TIMER(n), 8, UINT64_MAX, BEGIN);
		assert_int_equal(get(TIMER(n), BEGIN), UINT64_C(0x104) << 32 | 0x3f7e);
		put(TIMER(n) + 0x10, 8, UINT64_MAX, BEGIN);
		assert_int_equal(get(TIMER(n) + 0x10, BEGIN), 0);
	}
	put(0, 8, 0, BEGIN);
	put(CONFIG, 8, UINT64_MAX, BEGIN);
	assert_int_equal(get(CONFIG, BEGIN), 3);
	put(CONFIG, 1, 0, BEGIN);
	put(CONFIG + 4, 4, 0, BEGIN);
	assert_int_equal(get(CONFIG, BEGIN), 3);
	for (uint64_t off = TIMER(3); off < HPET_SIZE; off += 8) {
		put(off, 8, UINT64_MAX, BEGIN);
		assert_int_equal(get(off, BEGIN), 0);
	}
	put(8, 8, UINT64_MAX, BEGIN);
	assert_int_equal(get(8, BEGIN), 0);
}

static void the_counter_runs_when_it_is_enabled(void **state)
{
	hpet_reset(&hpet, HZ);
	assert_int_equal(get(COUNTER, AFTER(100)), 0);
	put(COUNTER, 8, UINT64_C(0x1fffffff0), AFTER(100));
	put(CONFIG, 4, 1, AFTER(200));
	assert_int_equal(get(COUNTER, AFTER(200)), 0x1fffffff0);
	assert_int_equal(get(COUNTER, AFTER(232)), 0x200000010);
	assert_int_equal((uint32_t)get(COUNTER + 4, AFTER(232)), 2);
	assert_int_equal(get(COUNTER, AFTER(100)), 0x1fffffff0); /* another vCPU's clock */
	put(COUNTER, 8, 0, AFTER(232));				 /* not while it runs */
	put(CONFIG, 4, 0, AFTER(250));
	assert_int_equal(get(COUNTER, AFTER(900)), 0x200000022);
	put(COUNTER, 4, 7, AFTER(900));
	put(COUNTER + 4, 4, 9, AFTER(900));
	assert_int_equal(get(COUNTER, AFTER(900)), UINT64_C(9) << 32 | 7);
}

static void a_timer_has_one_event(void **state)
{
	begin(1);
	put(COMPARATOR(2), 8, 1000, BEGIN);
	assert_int_equal(hpet_next_event(&hpet, ALL, BEGIN), NEVER);
	put(TIMER(2), 4, ENABLE | ROUTE(8), BEGIN);
	assert_int_equal(hpet_next_event(&hpet, ALL, BEGIN), AFTER(1000));
	assert_int_equal(hpet_next_event(&hpet, (uint32_t)BIT(2), BEGIN), NEVER);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(1000) - 1), 0);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(1000)), BIT(8));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(2000)), 0);
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(2000)), NEVER);
	assert_int_equal(get(STATUS, AFTER(2000)), 0);
	/* One that is set too late has its event at once. */
	put(COMPARATOR(2), 8, 1500, AFTER(2000));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(2000)), AFTER(2000));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(2000)), BIT(8));
	/* Without a line it has none. */
	put(TIMER(2), 4, ENABLE | ROUTE(3), AFTER(2000));
	put(COMPARATOR(2), 8, 2500, AFTER(2000));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(2000)), NEVER);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(3000)), 0);
	/* A counter that stands reaches nothing. */
	put(TIMER(2), 4, ENABLE | ROUTE(2), AFTER(3000));
	put(COMPARATOR(2), 8, 4000, AFTER(3000));
	put(CONFIG, 4, 0, AFTER(3000));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(9000)), 0);
	put(CONFIG, 4, 1, AFTER(9000));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(9000)), AFTER(10000));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(10000)), BIT(2));
}

static void a_periodic_timer_goes_on(void **state)
{
	begin(1);
	put(TIMER(0), 4, ENABLE | PERIODIC | SETS_VALUE | ROUTE(2), BEGIN);
	put(COMPARATOR(0), 4, 500, BEGIN);
	assert_int_equal(get(TIMER(0), BEGIN) & SETS_VALUE, 0);
	put(COMPARATOR(0) + 4, 4, 0, BEGIN);
	put(COMPARATOR(0), 4, 1000, BEGIN); /* the period alone */
	/* The high half of the comparator is still all ones: the first write set the low half. */
	assert_int_equal((uint32_t)get(COMPARATOR(0), BEGIN), 500);
	put(TIMER(0), 4, ENABLE | PERIODIC | SETS_VALUE | ROUTE(2), BEGIN);
	put(COMPARATOR(0), 8, 500, BEGIN);
	put(COMPARATOR(0), 8, 1000, BEGIN);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(hpet_next_event(&hpet, ALL, BEGIN), AFTER(500 + 1000 * i));
		assert_int_equal(hpet_take_edges(&hpet, AFTER(500 + 1000 * i) - 1), 0);
		assert_int_equal(hpet_take_edges(&hpet, AFTER(500 + 1000 * i)), BIT(2));
		assert_int_equal(get(COMPARATOR(0), BEGIN), 1500 + 1000 * i);
	}
	/* Periods without a look are one event. */
	assert_int_equal(hpet_take_edges(&hpet, AFTER(100700)), BIT(2));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(100700)), 0);
	assert_int_equal(get(COMPARATOR(0), BEGIN), 101500);
	/* Without a period it is a single one. */
	put(COMPARATOR(0), 8, 0, AFTER(100700));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(101500)), BIT(2));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(101500)), NEVER);
}

static void a_timer_of_32_bits_compares_the_low_half(void **state)
{
	const uint64_t turn = BIT(32);

	hpet_reset(&hpet, HZ);
	put(COUNTER, 8, 5 * turn + 100, BEGIN);
	put(TIMER(1), 4, ENABLE | BITS_32 | ROUTE(8), BEGIN);
	assert_int_equal(get(COMPARATOR(1), BEGIN), UINT32_MAX);
	put(COMPARATOR(1), 8, UINT64_C(0xffff00000032), BEGIN);
	assert_int_equal(get(COMPARATOR(1), BEGIN), 0x32);
	put(CONFIG, 4, 1, BEGIN);
	assert_int_equal(hpet_next_event(&hpet, ALL, BEGIN), AFTER(turn - 50));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(turn - 50)), BIT(8));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(turn)), AFTER(2 * turn - 50));
	put(TIMER(1), 4, ENABLE | BITS_32 | PERIODIC | SETS_VALUE | ROUTE(8), AFTER(turn));
	put(COMPARATOR(1), 4, 0xfffffff0, AFTER(turn));
	put(COMPARATOR(1), 4, 0x20, AFTER(turn));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(2 * turn - 100)), BIT(8));
	assert_int_equal(get(COMPARATOR(1), AFTER(2 * turn)), 0x10);
}

static void a_level_stays_until_it_is_taken_back(void **state)
{
	begin(1);
	put(TIMER(1), 4, ENABLE | PERIODIC | LEVEL | SETS_VALUE | ROUTE(8), BEGIN);
	put(COMPARATOR(1), 8, 100, BEGIN);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(100)), 0);
	assert_int_equal(get(STATUS, AFTER(100)), 2);
	assert_int_equal(hpet_lines(&hpet), BIT(8));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(100)), NEVER);
	put(STATUS, 4, 5, AFTER(150));
	assert_int_equal(hpet_lines(&hpet), BIT(8));
	put(STATUS, 4, 2, AFTER(150));
	assert_int_equal(hpet_lines(&hpet), 0);
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(150)), AFTER(200));
	hpet_take_edges(&hpet, AFTER(200));
	assert_int_equal(hpet_lines(&hpet), BIT(8));
	put(TIMER(1), 4, PERIODIC | LEVEL | ROUTE(8), AFTER(200));
	assert_int_equal(hpet_lines(&hpet), 0);
	put(TIMER(1), 4, ENABLE | PERIODIC | LEVEL | ROUTE(8), AFTER(300));
	hpet_take_edges(&hpet, AFTER(400));
	assert_int_equal(hpet_lines(&hpet), BIT(8));
	put(CONFIG, 4, 0, AFTER(400));
	assert_int_equal(hpet_lines(&hpet), 0);
}

static void two_timers_replace_the_old_ones(void **state)
{
	begin(3);
	assert_true(hpet_replaces_legacy(&hpet));
	for (unsigned n = 0; n < 3; n++) {
		put(TIMER(n), 4, ENABLE, BEGIN);
		put(COMPARATOR(n), 8, 100, BEGIN);
	}
	assert_int_equal(hpet_take_edges(&hpet, AFTER(100)), BIT(2) | BIT(8));
	put(CONFIG, 4, 1, AFTER(100));
	assert_false(hpet_replaces_legacy(&hpet));
	put(COMPARATOR(0), 8, 200, AFTER(100));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(200)), 0);
}

static void a_rate_of_events_has_a_limit(void **state)
{
	begin(1);
	lapic_min_period = AT(500);
	put(TIMER(0), 4, ENABLE | PERIODIC | SETS_VALUE | ROUTE(2), BEGIN);
	put(COMPARATOR(0), 8, 600, BEGIN);
	put(COMPARATOR(0), 8, 1, BEGIN);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(600)), BIT(2));
	assert_int_equal(hpet_next_event(&hpet, ALL, AFTER(600)), AFTER(1100));
	assert_int_equal(hpet_take_edges(&hpet, AFTER(1100) - 1), 0);
	assert_int_equal(hpet_take_edges(&hpet, AFTER(1100)), BIT(2));
	lapic_min_period = 0;
}

/* Also with numbers that only a hostile guest, or file, has. */
static void the_next_event_is_never_before_now(void **state)
{
	static const uint64_t values[] = {0, 1, BIT(31), BIT(32) - 1, BIT(47), BIT(63), NEVER - 1};
	const size_t n = ARRAY_SIZE(values);

	for (size_t i = 0; i < n * n * n * 2; i++) {
		uint64_t now = BEGIN + values[i / n % n] % BIT(60), next;

		hpet_reset(&hpet, HZ);
		put(COUNTER, 8, values[i % n], BEGIN);
		put(TIMER(0), 4,
		    ENABLE | PERIODIC | SETS_VALUE | ROUTE(2) | (i / n / n / n ? BITS_32 : 0),
		    BEGIN);
		put(COMPARATOR(0), 8, values[i / n / n % n], BEGIN);
		put(COMPARATOR(0), 8, 1 + values[i / n % n], BEGIN);
		put(CONFIG, 4, 1, BEGIN);
		for (unsigned k = 0; k < 3; k++) {
			next = hpet_next_event(&hpet, ALL, now);
			assert_true(next == NEVER || next >= now);
			hpet_take_edges(&hpet, now);
			now += AT(1000);
		}
	}
}

static void time_passes_at_another_frequency(void **state)
{
	begin(1);
	put(TIMER(0), 4, ENABLE | ROUTE(2), BEGIN);
	put(COMPARATOR(0), 8, 1000, BEGIN);
	hpet_catch_up(&hpet, HZ / 3, BEGIN + 400);
	assert_int_equal(get(COUNTER, BEGIN + 400), 400);
	assert_int_equal(hpet_next_event(&hpet, ALL, BEGIN + 400), BEGIN + 400 + AT(600));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_qemus),
		cmocka_unit_test(the_counter_runs_when_it_is_enabled),
		cmocka_unit_test(a_timer_has_one_event),
		cmocka_unit_test(a_periodic_timer_goes_on),
		cmocka_unit_test(a_timer_of_32_bits_compares_the_low_half),
		cmocka_unit_test(a_level_stays_until_it_is_taken_back),
		cmocka_unit_test(two_timers_replace_the_old_ones),
		cmocka_unit_test(a_rate_of_events_has_a_limit),
		cmocka_unit_test(the_next_event_is_never_before_now),
		cmocka_unit_test(time_passes_at_another_frequency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
