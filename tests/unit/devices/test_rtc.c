/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/rtc.h"

#include <time.h>

#include "tests/unit/support.h"

#define HZ UINT64_C(1000000)

enum { SEC = 0, MIN = 2, HOUR = 4, WDAY = 6, DAY = 7, MON = 8, YEAR = 9, A = 10, B, C, D };
enum { CENTURY = 0x32 };

static uint8_t rtc_read(struct rtc *rtc, unsigned off, uint64_t now)
{
	struct io_access access = {.off = off, .size = 1, .now = now};

	return (uint8_t)rtc_class.read(rtc, &access);
}

static void rtc_write(struct rtc *rtc, unsigned off, uint8_t value, uint64_t now)
{
	struct io_access access = {.off = off, .size = 1, .value = value, .now = now};

	assert_int_equal(rtc_class.write(rtc, &access), 0);
}

static uint8_t get(struct rtc *rtc, uint8_t reg, uint64_t now)
{
	rtc_write(rtc, 0, reg, now);
	return rtc_read(rtc, 1, now);
}

static void set(struct rtc *rtc, uint8_t reg, uint8_t value, uint64_t now)
{
	rtc_write(rtc, 0, reg, now);
	rtc_write(rtc, 1, value, now);
}

static struct rtc clock_at(int64_t unix_time)
{
	struct rtc rtc;

	rtc_init(&rtc, unix_time, 0, HZ);
	return rtc;
}

static unsigned bcd(unsigned n)
{
	return n / 10 * 16 + n % 10;
}

/*
 * Compare with the C library, in steps that hit all months, weekdays and leap days from 1970 to
 * 2500.
 */
static void every_date_is_the_c_librarys(void **state)
{
	for (int64_t t = 0; t < INT64_C(16725225600); t += 86400 * 3 + 3661 + 7) {
		struct rtc rtc = clock_at(t);
		time_t time = t;
		struct tm tm;

		gmtime_r(&time, &tm);
		assert_int_equal(get(&rtc, SEC, 0), bcd((unsigned)tm.tm_sec));
		assert_int_equal(get(&rtc, MIN, 0), bcd((unsigned)tm.tm_min));
		assert_int_equal(get(&rtc, HOUR, 0), bcd((unsigned)tm.tm_hour));
		assert_int_equal(get(&rtc, WDAY, 0), tm.tm_wday + 1);
		assert_int_equal(get(&rtc, DAY, 0), bcd((unsigned)tm.tm_mday));
		assert_int_equal(get(&rtc, MON, 0), bcd((unsigned)tm.tm_mon + 1));
		assert_int_equal(get(&rtc, YEAR, 0), bcd((unsigned)tm.tm_year % 100));
		assert_int_equal(get(&rtc, CENTURY, 0), bcd((unsigned)(tm.tm_year + 1900) / 100));
	}
}

static void every_hour_in_every_mode(void **state)
{
	for (unsigned mode = 0; mode < 4; mode++) { /* bit 0: 24 hours, bit 1: binary */
		for (unsigned hour = 0; hour < 24; hour++) {
			struct rtc rtc = clock_at(hour * 3600 + 59);
			unsigned shown = mode & 1 ? hour : (hour + 11) % 12 + 1;
			uint8_t reg;

			set(&rtc, B, (uint8_t)(mode << 1), 0);
			if (!(mode & 2))
				shown = bcd(shown);
			if (!(mode & 1) && hour >= 12)
				shown |= 0x80;
			reg = get(&rtc, HOUR, 0);
			assert_int_equal(reg, shown);
			assert_int_equal(get(&rtc, SEC, 0), mode & 2 ? 59 : 0x59);
			/* Writing back what was read changes nothing. */
			set(&rtc, HOUR, reg, 0);
			assert_int_equal(rtc_time(&rtc, 0), hour * 3600 + 59);
		}
	}
}

static void time_goes_by_the_tsc(void **state)
{
	struct rtc rtc = clock_at(946684798); /* 1999-12-31 23:59:58 */

	assert_int_equal(get(&rtc, SEC, HZ - 1), 0x58);
	assert_int_equal(get(&rtc, A, HZ) & 0x80, 0);
	assert_int_equal(get(&rtc, SEC, HZ), 0x59);
	assert_int_equal(get(&rtc, A, 2 * HZ) & 0x80, 0);
	assert_int_equal(get(&rtc, SEC, 2 * HZ), 0);
	assert_int_equal(get(&rtc, YEAR, 2 * HZ), 0);
	assert_int_equal(get(&rtc, CENTURY, 2 * HZ), 0x20);
	assert_int_equal(get(&rtc, MON, 2 * HZ), 1);
	assert_int_equal(rtc_time(&rtc, 3600 * HZ), 946684798 + 3600);
	assert_int_equal(rtc_time(&rtc, 0), 946684798 + 3600); /* never goes back */
}

/* As Linux reads the time: wait for UIP to be clear, read, then compare UIP and seconds. */
static void what_is_read_after_uip_is_of_one_second(void **state)
{
	struct rtc rtc = clock_at(946684799);
	uint64_t now = HZ - 1; /* one tick before the year 2000 */

	assert_int_equal(get(&rtc, SEC, now), 0x59);
	now += HZ / 4096 - 1;
	assert_int_equal(get(&rtc, MIN, now), 0x59);
	assert_int_equal(get(&rtc, HOUR, now), 0x23);
	assert_int_equal(get(&rtc, DAY, now), 0x31);
	assert_int_equal(get(&rtc, MON, now), 0x12);
	assert_int_equal(get(&rtc, YEAR, now), 0x99);
	now++;
	assert_int_equal(get(&rtc, SEC, now), 0);
	assert_int_equal(get(&rtc, YEAR, now), 0);
}

static void the_end_of_a_second_is_announced(void **state)
{
	struct rtc rtc = clock_at(0);

	for (uint64_t second = 0; second < 3; second++) {
		uint64_t end = (second + 1) * HZ;

		assert_int_equal(get(&rtc, A, end - HZ / 4096 - 1), 0x26);
		assert_int_equal(get(&rtc, A, end - HZ / 4096), 0xa6);
		assert_int_equal(get(&rtc, A, end - 1), 0xa6);
		assert_int_equal(get(&rtc, A, end), 0x26);
	}
	set(&rtc, B, 0x82, 3 * HZ);
	assert_int_equal(get(&rtc, A, 4 * HZ - 1), 0x26);
}

static void memory_is_where_firmware_has_it(void **state)
{
	static const struct {
		uint64_t low, high;
		unsigned base, extended, from_16m, from_4g;
	} cases[] = {
		{KIB(512), 0, 512, 0, 0, 0},
		{MIB(4), 0, 640, 3072, 0, 0},
		{MIB(128), 0, 640, 65535, 1792, 0},
		{GIB(3), GIB(5), 640, 65535, 48896, 81920},
		{GIB(3), BIT(50), 640, 65535, 48896, 0xffffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtc rtc = clock_at(0);
		const uint8_t *cmos = rtc.cmos;

		rtc_set_memory(&rtc, cases[i].low, cases[i].high);
		assert_int_equal(cmos[0x15] | cmos[0x16] << 8, cases[i].base);
		assert_int_equal(cmos[0x17] | cmos[0x18] << 8, cases[i].extended);
		assert_int_equal(cmos[0x30] | cmos[0x31] << 8, cases[i].extended);
		assert_int_equal(cmos[0x34] | cmos[0x35] << 8, cases[i].from_16m);
		assert_int_equal(cmos[0x5b] | cmos[0x5c] << 8 | cmos[0x5d] << 16, cases[i].from_4g);
	}
}

static void periodic_events_have_their_rate(void **state)
{
	for (unsigned rate = 1; rate < 16; rate++) {
		unsigned per_second = 32768 >> ((rate <= 2 ? rate + 7 : rate) - 1), n = 0;
		struct rtc rtc = clock_at(0);

		set(&rtc, A, (uint8_t)(0x20 | rate), 0);
		set(&rtc, B, 0x42, 0);
		for (uint64_t now = 0, next; (next = rtc_next_event(&rtc, now)) <= HZ; now = next) {
			assert_true(next > now);
			assert_false(rtc_take_events(&rtc, now, next - 1));
			assert_true(rtc_take_events(&rtc, now, next));
			assert_int_equal(rtc_next_event(&rtc, next), UINT64_MAX);
			assert_int_equal(get(&rtc, C, next) & 0xe0, 0xc0);
			assert_int_equal(get(&rtc, C, next), 0);
			n++;
		}
		assert_int_equal(n, per_second);
	}
}

static void without_rate_or_divider_there_are_none(void **state)
{
	static const uint8_t a[] = {0x20, 0x36, 0x76};

	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		struct rtc rtc = clock_at(0);

		set(&rtc, A, a[i], 0);
		set(&rtc, B, 0x42, 0);
		assert_int_equal(rtc_next_event(&rtc, 0), UINT64_MAX);
		assert_false(rtc_take_events(&rtc, 0, HZ - 1));
	}
}

static void each_second_is_an_event(void **state)
{
	struct rtc rtc = clock_at(0);

	/* The flag is there without the interrupt, too. */
	assert_int_equal(rtc_next_event(&rtc, 0), UINT64_MAX);
	assert_false(rtc_take_events(&rtc, 0, HZ));
	assert_int_equal(get(&rtc, C, HZ) & 0x90, 0x10);
	set(&rtc, B, 0x12, HZ);
	assert_int_equal(rtc_next_event(&rtc, HZ + 5), 2 * HZ);
	assert_false(rtc_take_events(&rtc, HZ, 2 * HZ - 1));
	assert_true(rtc_take_events(&rtc, 2 * HZ - 1, 2 * HZ));
	assert_int_equal(get(&rtc, C, 2 * HZ) & 0x90, 0x90);
	/* Not while the guest sets the clock, and never before the last look. */
	set(&rtc, B, 0x92, 2 * HZ);
	assert_int_equal(rtc_next_event(&rtc, 2 * HZ), UINT64_MAX);
	assert_false(rtc_take_events(&rtc, 2 * HZ, 5 * HZ));
	assert_false(rtc_take_events(&rtc, 5 * HZ, HZ));
	rtc_reset(&rtc);
	assert_int_equal(get(&rtc, C, 5 * HZ), 0);
}

static void set_alarm(struct rtc *rtc, uint8_t hour, uint8_t minute, uint8_t second)
{
	set(rtc, 5, hour, 0);
	set(rtc, 3, minute, 0);
	set(rtc, 1, second, 0);
	set(rtc, B, 0x22, 0);
}

static void an_alarm_comes_at_its_time(void **state)
{
	static const struct {
		uint8_t hour, minute, second;
		int64_t in; /* seconds after 1999-12-31 23:59:50 */
	} cases[] = {
		{0x23, 0x59, 0x51, 1},	   {0, 0, 0, 10},
		{0x23, 0x59, 0x50, 86400}, {0xff, 0xff, 0xff, 1},
		{0xc0, 0xc5, 5, 15},	   {0xff, 0x30, 0, 1810},
		{1, 0xff, 0xff, 3610},	   {0x12, 0x34, 0x56, 45306},
		{0x23, 0x59, 0x49, 86399},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtc rtc = clock_at(946684790);
		uint64_t at = (uint64_t)cases[i].in * HZ;

		set_alarm(&rtc, cases[i].hour, cases[i].minute, cases[i].second);
		assert_int_equal(rtc_next_event(&rtc, 0), at);
		assert_false(rtc_take_events(&rtc, 0, at - 1));
		assert_true(rtc_take_events(&rtc, at - 1, at));
		assert_int_equal(get(&rtc, C, at) & 0xa0, 0xa0);
	}
}

static void an_alarm_that_is_nonsense_never_comes(void **state)
{
	struct rtc rtc = clock_at(-5);

	set_alarm(&rtc, 0x25, 0, 0);
	assert_int_equal(rtc_next_event(&rtc, 0), UINT64_MAX);
	assert_false(rtc_take_events(&rtc, 0, 200000 * HZ));
	set_alarm(&rtc, 0x23, 0x59, 0x58); /* before 1970 */
	assert_int_equal(rtc_next_event(&rtc, 0), 3 * HZ);
}

static void write_2001_02_03_04_05_06(struct rtc *rtc, uint64_t now)
{
	set(rtc, YEAR, 0x01, now);
	set(rtc, CENTURY, 0x20, now);
	set(rtc, MON, 0x02, now);
	set(rtc, DAY, 0x03, now);
	set(rtc, HOUR, 0x04, now);
	set(rtc, MIN, 0x05, now);
	set(rtc, SEC, 0x06, now);
}

static void setting_with_the_set_bit_takes_all_at_once(void **state)
{
	struct rtc rtc = clock_at(1000000000);

	set(&rtc, B, 0x82, HZ);
	set(&rtc, A, 0x76, HZ);
	assert_int_equal(get(&rtc, SEC, 5 * HZ), 0x41); /* stands still */
	write_2001_02_03_04_05_06(&rtc, 7 * HZ);
	assert_int_equal(get(&rtc, MIN, 9 * HZ), 0x05);
	assert_int_equal(rtc_time(&rtc, 9 * HZ), 1000000001);
	set(&rtc, B, 0x02, 10 * HZ);
	set(&rtc, A, 0x26, 10 * HZ);
	assert_int_equal(rtc_time(&rtc, 10 * HZ), 981173106);
	assert_int_equal(rtc_time(&rtc, 12 * HZ), 981173108);
	assert_int_equal(get(&rtc, WDAY, 12 * HZ), 7); /* a Saturday */
}

static void setting_without_it_takes_each_at_once(void **state)
{
	struct rtc rtc = clock_at(0);

	write_2001_02_03_04_05_06(&rtc, HZ / 2);
	assert_int_equal(rtc_time(&rtc, HZ / 2), 981173106);
	/* The fraction of a second continued. */
	assert_int_equal(rtc_time(&rtc, HZ - 1), 981173106);
	assert_int_equal(rtc_time(&rtc, HZ), 981173107);
}

static void dates_before_1970_and_nonsense_do_no_harm(void **state)
{
	struct rtc rtc = clock_at(0);

	write_2001_02_03_04_05_06(&rtc, 0);
	set(&rtc, CENTURY, 0x19, 0);
	assert_int_equal(rtc_time(&rtc, 0), 981173106 - 36525LL * 86400);
	assert_int_equal(get(&rtc, A, 0) & 0x80, 0);
	assert_int_equal(get(&rtc, DAY, 0), 0x03);
	assert_int_equal(get(&rtc, YEAR, 0), 0x01);
	assert_int_equal(get(&rtc, WDAY, 0), 1); /* a Sunday */
	write_2001_02_03_04_05_06(&rtc, 0);
	set(&rtc, MON, 0x12, 0);
	assert_int_equal(rtc_time(&rtc, 0), 981173106 + 303LL * 86400);
	set(&rtc, MON, 0x13, 0); /* January is as good as any */
	assert_int_equal(rtc_time(&rtc, 0), 981173106 - 31 * 86400);
	for (unsigned mode = 0; mode < 8; mode += 2)
		for (unsigned value = 0; value < 256; value++) {
			static const uint8_t regs[] = {SEC, MIN, HOUR, WDAY,
						       DAY, MON, YEAR, CENTURY};

			rtc = clock_at(0);
			set(&rtc, B, (uint8_t)(0x80 | mode), 0);
			for (unsigned i = 0; i < ARRAY_SIZE(regs); i++)
				set(&rtc, regs[i], (uint8_t)value, 0);
			set(&rtc, B, (uint8_t)mode, 0);
			get(&rtc, A, HZ);
			assert_in_range(get(&rtc, MON, HZ), 1, 0x12);
			assert_in_range(get(&rtc, WDAY, HZ), 1, 7);
		}
}

static void cmos_ram_is_ram_and_survives_a_reset(void **state)
{
	struct rtc rtc = clock_at(0);

	for (unsigned reg = 14; reg < 128; reg++)
		if (reg != CENTURY)
			set(&rtc, (uint8_t)reg, (uint8_t)~reg, 0);
	set(&rtc, B, 0x7a, 0);
	set(&rtc, 1, 0x30, 0); /* alarm */
	rtc_reset(&rtc);
	for (unsigned reg = 14; reg < 128; reg++)
		if (reg != CENTURY)
			assert_int_equal(get(&rtc, (uint8_t)reg, 0), (uint8_t)~reg);
	assert_int_equal(get(&rtc, B, 0), 0x02);
	assert_int_equal(get(&rtc, 1, 0), 0x30);
}

static void status_registers_are_what_they_are(void **state)
{
	struct rtc rtc = clock_at(0);

	assert_int_equal(get(&rtc, A, 0), 0x26);
	set(&rtc, A, 0xff, 0);
	assert_int_equal(get(&rtc, A, 0), 0x7f);
	set(&rtc, C, 0xff, 0);
	assert_int_equal(get(&rtc, C, 0), 0);
	set(&rtc, D, 0, 0);
	assert_int_equal(get(&rtc, D, 0), 0x80);
}

static void the_index_port_carries_the_nmi_mask(void **state)
{
	struct rtc rtc = clock_at(0);

	assert_false(rtc.nmi_masked);
	assert_int_equal(get(&rtc, 0x80 | D, 0), 0x80);
	assert_true(rtc.nmi_masked);
	assert_int_equal(rtc_read(&rtc, 0, 0), 0xff);
	rtc_write(&rtc, 0, D, 0);
	assert_false(rtc.nmi_masked);
	rtc_write(&rtc, 0, 0x8f, 0);
	rtc_reset(&rtc);
	assert_false(rtc.nmi_masked);
	assert_int_equal(rtc.index, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_date_is_the_c_librarys),
		cmocka_unit_test(every_hour_in_every_mode),
		cmocka_unit_test(time_goes_by_the_tsc),
		cmocka_unit_test(what_is_read_after_uip_is_of_one_second),
		cmocka_unit_test(the_end_of_a_second_is_announced),
		cmocka_unit_test(memory_is_where_firmware_has_it),
		cmocka_unit_test(periodic_events_have_their_rate),
		cmocka_unit_test(without_rate_or_divider_there_are_none),
		cmocka_unit_test(each_second_is_an_event),
		cmocka_unit_test(an_alarm_comes_at_its_time),
		cmocka_unit_test(an_alarm_that_is_nonsense_never_comes),
		cmocka_unit_test(setting_with_the_set_bit_takes_all_at_once),
		cmocka_unit_test(setting_without_it_takes_each_at_once),
		cmocka_unit_test(dates_before_1970_and_nonsense_do_no_harm),
		cmocka_unit_test(cmos_ram_is_ram_and_survives_a_reset),
		cmocka_unit_test(status_registers_are_what_they_are),
		cmocka_unit_test(the_index_port_carries_the_nmi_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
