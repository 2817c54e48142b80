/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/pvclock.h"

#include "tests/unit/guest_regions.h"

/* The record as a guest of Linux reads it. */
struct __attribute__((packed)) read_record {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, rest[2];
};

static const struct pvclock clock_3ghz = {
	.tsc = 5000, .ns = 1000000000, .scale = {.mul = 1431655765, .shift = 0}};

static struct read_record read_at(uint64_t gpa)
{
	struct read_record record;

	assert_int_equal(guest_read(&memory, at(gpa), &record, sizeof(record)), OK);
	return record;
}

/* What a guest computes, in other words: the product of a shifted delta, without its low half. */
static double seconds(struct pvclock_scale scale, double ticks)
{
	double shifted = ticks;

	for (int i = 0; i < scale.shift; i++)
		shifted *= 2;
	for (int i = 0; i > scale.shift; i--)
		shifted /= 2;
	return shifted * scale.mul / 4294967296.0 / 1e9;
}

static void a_second_has_the_frequency_s_ticks(void **state)
{
	static const uint64_t some[] = {1,	    1000000,	10000000,   100000000,
					999999999,  1000000000, 1000000001, 1999999999,
					2000000000, 2000000001, 2000000002, 3400000000,
					4294967295, 4294967296, 16000000000};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		struct pvclock_scale scale = pvclock_scale(some[i]);
		double error = seconds(scale, (double)some[i]) - 1;

		assert_true(scale.mul >= UINT32_C(1) << 30);
		assert_true(error > -3e-9 && error < 3e-9);
		assert_true(pvclock_ns(scale, some[i]) <= 1000000003);
		assert_true(pvclock_ns(scale, some[i]) >= 999999996);
	}
}

static void a_clock_of_a_century_does_not_overflow(void **state)
{
	uint64_t year = UINT64_C(31557600), hz = UINT64_C(4000000000);
	uint64_t ns = pvclock_ns(pvclock_scale(hz), hz * year * 100);

	assert_true(ns / 1000000000 <= year * 100 + 20 && ns / 1000000000 >= year * 100 - 20);
}

static void each_update_makes_the_version_even_and_greater(void **state)
{
	uint32_t junk = 7;
	struct read_record record;

	assert_int_equal(guest_write(&memory, at(RAM + 64), &junk, sizeof(junk)), OK);
	for (uint32_t last = junk; last < 20; last = record.version) {
		assert_int_equal(pvclock_write(&memory, at(RAM + 64), &clock_3ghz), OK);
		record = read_at(RAM + 64);
		assert_true(record.version > last && record.version % 2 == 0);
	}
	assert_int_equal(record.tsc_timestamp, 5000);
	assert_int_equal(record.system_time, 1000000000);
	assert_int_equal(record.mul, 1431655765);
	assert_int_equal(record.shift, 0);
	assert_int_equal(record.flags, 3); /* stable, and the guest had stopped */
	assert_int_equal(record.pad, 0);
}

static void the_bytes_around_a_record_stay(void **state)
{
	uint8_t byte = 0xa5, now;

	assert_int_equal(guest_write(&memory, at(RAM + 99), &byte, 1), OK);
	assert_int_equal(guest_write(&memory, at(RAM + 132), &byte, 1), OK);
	assert_int_equal(pvclock_write(&memory, at(RAM + 100), &clock_3ghz), OK);
	assert_int_equal(guest_read(&memory, at(RAM + 99), &now, 1), OK);
	assert_int_equal(now, byte);
	assert_int_equal(guest_read(&memory, at(RAM + 132), &now, 1), OK);
	assert_int_equal(now, byte);
}

static void a_record_may_cross_pages(void **state)
{
	assert_int_equal(pvclock_write(&memory, at(RAM + 2 * PAGE_SIZE - 12), &clock_3ghz), OK);
	assert_int_equal(read_at(RAM + 2 * PAGE_SIZE - 12).mul, 1431655765);
}

/* The record must not be left with an odd version, for which the guest would wait. */
static void without_a_frame_nothing_changes(void **state)
{
	uint64_t gpa = RAM + 5 * PAGE_SIZE - 12;
	uint8_t byte = 0;

	assert_int_equal(guest_write(&memory, at(gpa), &byte, 1), OK);
	ept.max_owned = ept.n_owned; /* for the first page only */
	assert_int_equal(pvclock_write(&memory, at(gpa), &clock_3ghz), ERR_NOMEM);
	assert_int_equal(read_at(gpa).version, 0);
	ept.max_owned = EPT_UNLIMITED;
	assert_int_equal(pvclock_write(&memory, at(gpa), &clock_3ghz), OK);
	assert_int_equal(read_at(gpa).version, 2);
}

static void rom_and_holes_are_refused(void **state)
{
	uint64_t drops = dropped();

	assert_int_equal(pvclock_write(&memory, at(ROM), &clock_3ghz), ERR_RANGE);
	assert_int_equal(pvclock_write(&memory, at(COW - 12), &clock_3ghz), ERR_RANGE);
	assert_int_equal(pvclock_write(&memory, at(SHM + SMALL - 12), &clock_3ghz), ERR_RANGE);
	assert_int_equal(pvclock_write(&memory, at(GIB(1)), &clock_3ghz), ERR_RANGE);
	assert_int_equal(pvclock_write(&memory, at(UINT64_MAX - 3), &clock_3ghz), ERR_RANGE);
	assert_int_equal(pvclock_write_wall(&memory, at(ROM), 1), ERR_RANGE);
	assert_int_equal(pvclock_write_steal(&memory, at(ROM), 1), ERR_RANGE);
	assert_int_equal(pvclock_write_preempted(&memory, at(ROM)), ERR_RANGE);
	assert_int_equal(dropped(), drops);
	assert_int_equal(pvclock_write(&memory, at(SHM), &clock_3ghz), OK);
}

static void the_time_of_the_day_has_seconds_and_ns(void **state)
{
	uint32_t words[3];

	assert_int_equal(pvclock_write_wall(&memory, at(RAM), UINT64_C(1700000000123456789)), OK);
	assert_int_equal(guest_read(&memory, at(RAM), words, sizeof(words)), OK);
	assert_int_equal(words[0], 2);
	assert_int_equal(words[1], 1700000000);
	assert_int_equal(words[2], 123456789);
}

struct __attribute__((packed)) read_steal {
	uint64_t steal;
	uint32_t version, flags;
	uint8_t preempted, rest[47];
};

static struct read_steal steal_at(uint64_t gpa)
{
	struct read_steal record;

	assert_int_equal(guest_read(&memory, at(gpa), &record, sizeof(record)), OK);
	return record;
}

static void stolen_time_adds_up(void **state)
{
	assert_int_equal(pvclock_write_steal(&memory, at(RAM + 128), 500), OK);
	assert_int_equal(steal_at(RAM + 128).preempted, 0);
	assert_int_equal(pvclock_write_preempted(&memory, at(RAM + 128)), OK);
	assert_int_equal(steal_at(RAM + 128).preempted, 1);
	assert_int_equal(steal_at(RAM + 128).version, 2);
	assert_int_equal(pvclock_write_steal(&memory, at(RAM + 128), 1500), OK);
	assert_int_equal(steal_at(RAM + 128).steal, 2000);
	assert_int_equal(steal_at(RAM + 128).version, 4);
	assert_int_equal(steal_at(RAM + 128).flags, 0);
	assert_int_equal(steal_at(RAM + 128).preempted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_has_the_frequency_s_ticks),
		cmocka_unit_test(a_clock_of_a_century_does_not_overflow),
		TEST(each_update_makes_the_version_even_and_greater),
		TEST(the_bytes_around_a_record_stay),
		TEST(a_record_may_cross_pages),
		TEST(without_a_frame_nothing_changes),
		TEST(rom_and_holes_are_refused),
		TEST(the_time_of_the_day_has_seconds_and_ns),
		TEST(stolen_time_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
