/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MC146818: a clock that can be read and set. Flags of alarm, update and periodic interrupts are
 * set when the owner asks for them.
 *
 * The update flag (UIP) is set in the last 244 microseconds of a second. Its promise is kept: after
 * a guest has read register A, or has begun to read the time, it sees the same second for 244
 * microseconds. While the guest holds
 * the SET bit, the registers do not change; when it clears the bit, they become the new time. The
 * fraction of a second continues.
 */
#include "hv/devices/rtc.h"

#include "hv/devices/tick.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

enum {
	REG_SECONDS = 0x00,
	REG_SECONDS_ALARM = 0x01,
	REG_MINUTES = 0x02,
	REG_MINUTES_ALARM = 0x03,
	REG_HOURS = 0x04,
	REG_HOURS_ALARM = 0x05,
	REG_WEEKDAY = 0x06,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	REG_BASE_MEMORY = 0x15,	    /* KiB, two bytes; so are the next two */
	REG_EXTENDED_MEMORY = 0x17, /* from 1 MiB on */
	REG_EXTENDED_MEMORY_2 = 0x30,
	REG_CENTURY = 0x32,
	REG_MEMORY_16M = 0x34, /* from 16 MiB on, units of 64 KiB, two bytes */
	REG_MEMORY_4G = 0x5b,  /* from 4 GiB on, units of 64 KiB, three bytes */
};

#define A_UIP	     0x80
#define A_DEFAULT    0x26 /* 32.768 kHz, 1024 Hz periodic rate */
#define A_DIVIDER    0x70
#define A_RUNS	     0x20
#define A_RATE	     0x0f
#define C_INTERRUPT  0x80
#define ALARM_ANY    0xc0 /* "don't care" */
#define NEVER	     UINT64_MAX
#define CRYSTAL_HZ   32768
#define BASE_KIB     640
#define B_SET	     0x80
#define B_INTERRUPTS 0x78 /* periodic, alarm, update enables and square wave */
#define B_ENABLES    0x70 /* of the flags of register C */
#define B_PERIODIC   0x40
#define B_ALARM	     0x20
#define B_UPDATE     0x10
#define B_BINARY     0x04
#define B_24_HOURS   0x02
#define D_VALID	     0x80
#define HOURS_PM     0x80

#define LATCHES_PER_SECOND 4096 /* 244 microseconds */
#define SECONDS_PER_DAY	   86400
#define DAYS_TO_1970	   719468 /* counted from 1 March of the year 0 */
#define DAYS_PER_ERA	   146097 /* an era is 400 years */

struct date {
	int64_t year;
	unsigned month; /* 1 to 12 */
	unsigned day;	/* 1 to 31 */
};

/*
 * Years begin in March, so that the leap day is the last day of a year; eras are 400 years. One era
 * is added throughout, so that no number is negative from the year -400 on.
 */
static int64_t days_from_date(const struct date *date)
{
	int64_t year = date->year + 400 - (date->month <= 2);
	unsigned month = (date->month + 9) % 12; /* March is 0 */
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400;

	days += (153 * month + 2) / 5 + date->day - 1;
	return days - DAYS_PER_ERA - DAYS_TO_1970;
}

static struct date date_from_days(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970 + DAYS_PER_ERA;
	int64_t era = shifted / DAYS_PER_ERA, day = shifted % DAYS_PER_ERA;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned rest = (unsigned)(day - (year * 365 + year / 4 - year / 100));
	unsigned month = (5 * rest + 2) / 153;

	return (struct date){
		.year = era * 400 + year - 400 + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = rest - (153 * month + 2) / 5 + 1,
	};
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	return (uint8_t)(rtc->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
	return rtc->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);
}

static uint8_t encode_hours(const struct rtc *rtc, unsigned hours)
{
	if (rtc->cmos[REG_B] & B_24_HOURS)
		return encode(rtc, hours);
	return encode(rtc, (hours + 11) % 12 + 1) | (hours >= 12 ? HOURS_PM : 0);
}

static unsigned decode_hours(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[REG_B] & B_24_HOURS)
		return decode(rtc, value);
	return decode(rtc, value & (uint8_t)~HOURS_PM) % 12 + (value & HOURS_PM ? 12 : 0);
}

/* The time in the registers. Nonsense in them gives an arbitrary time, never a fault. */
static int64_t time_from_registers(const struct rtc *rtc)
{
	const uint8_t *cmos = rtc->cmos;
	unsigned month = decode(rtc, cmos[REG_MONTH]);
	struct date date = {
		.year = decode(rtc, cmos[REG_CENTURY]) * 100 + decode(rtc, cmos[REG_YEAR]),
		.month = month >= 1 && month <= 12 ? month : 1,
		.day = decode(rtc, cmos[REG_DAY]),
	};

	return days_from_date(&date) * SECONDS_PER_DAY + decode_hours(rtc, cmos[REG_HOURS]) * 3600 +
	       decode(rtc, cmos[REG_MINUTES]) * 60 + decode(rtc, cmos[REG_SECONDS]);
}

static void time_to_registers(struct rtc *rtc)
{
	/* Add one era of days, and one of seconds, so that dates before 1970 round down too. */
	int64_t shifted = rtc->base_time + (int64_t)DAYS_PER_ERA * 5 * SECONDS_PER_DAY;
	int64_t days = shifted / SECONDS_PER_DAY - (int64_t)DAYS_PER_ERA * 5;
	unsigned seconds = (unsigned)(shifted % SECONDS_PER_DAY);
	struct date date = date_from_days(days);
	uint8_t *cmos = rtc->cmos;

	cmos[REG_SECONDS] = encode(rtc, seconds % 60);
	cmos[REG_MINUTES] = encode(rtc, seconds / 60 % 60);
	cmos[REG_HOURS] = encode_hours(rtc, seconds / 3600);
	/* 1 is Sunday; 1 January 1970 was a Thursday. */
	cmos[REG_WEEKDAY] = encode(rtc, (unsigned)((days + DAYS_PER_ERA * 5 + 4) % 7 + 1));
	cmos[REG_DAY] = encode(rtc, date.day);
	cmos[REG_MONTH] = encode(rtc, date.month);
	cmos[REG_YEAR] = encode(rtc, (unsigned)(date.year % 100));
	cmos[REG_CENTURY] = encode(rtc, (unsigned)(date.year / 100 % 100));
}

/*
 * Move the base to the last whole second before now. While SET holds, the time stands still and
 * only the TSC advances.
 */
static void advance(struct rtc *rtc, uint64_t now)
{
	uint64_t seconds = now > rtc->base_tsc ? (now - rtc->base_tsc) / rtc->tsc_hz : 0;

	rtc->base_tsc += seconds * rtc->tsc_hz;
	if (!(rtc->cmos[REG_B] & B_SET))
		rtc->base_time += (int64_t)seconds;
}

static void refresh(struct rtc *rtc, uint64_t now)
{
	advance(rtc, now);
	if (!(rtc->cmos[REG_B] & B_SET))
		time_to_registers(rtc);
	rtc->latched = true;
	rtc->latched_tsc = now;
}

static void refresh_unless_latched(struct rtc *rtc, uint64_t now)
{
	if (!rtc->latched || now - rtc->latched_tsc >= rtc->tsc_hz / LATCHES_PER_SECOND)
		refresh(rtc, now);
}

static bool is_time(unsigned reg)
{
	switch (reg) {
	case REG_SECONDS:
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY ... REG_YEAR:
	case REG_CENTURY:
		return true;
	default:
		return false;
	}
}

void rtc_init(struct rtc *rtc, int64_t unix_time, uint64_t now, uint64_t tsc_hz)
{
	assert(tsc_hz != 0);
	*rtc = (struct rtc){.base_time = unix_time, .base_tsc = now, .tsc_hz = tsc_hz};
	rtc->cmos[REG_A] = A_DEFAULT;
	rtc->cmos[REG_B] = B_24_HOURS;
	rtc->cmos[REG_D] = D_VALID;
	refresh(rtc, now);
}

void rtc_reset(struct rtc *rtc)
{
	rtc->cmos[REG_B] &= (uint8_t)~B_INTERRUPTS;
	rtc->cmos[REG_C] = 0;
	rtc->index = 0;
	rtc->nmi_masked = false;
}

static uint8_t read_a(struct rtc *rtc, uint64_t now)
{
	uint64_t left;

	refresh(rtc, now);
	left = rtc->base_tsc + rtc->tsc_hz - now;
	if (rtc->cmos[REG_B] & B_SET || left > rtc->tsc_hz / LATCHES_PER_SECOND)
		return rtc->cmos[REG_A];
	return rtc->cmos[REG_A] | A_UIP;
}

/* Reading clears the flags, and with them the line. */
static uint8_t read_c(struct rtc *rtc)
{
	uint8_t value = rtc->cmos[REG_C];

	rtc->cmos[REG_C] = 0;
	return value;
}

static uint64_t rtc_read(void *dev, const struct io_access *access)
{
	struct rtc *rtc = dev;

	if (access->off == 0)
		return 0xff; /* the index is write-only */
	if (rtc->index == REG_A)
		return read_a(rtc, access->now);
	if (rtc->index == REG_C)
		return read_c(rtc);
	if (is_time(rtc->index))
		refresh_unless_latched(rtc, access->now);
	return rtc->cmos[rtc->index];
}

/*
 * When SET is cleared, the registers become the time. DM and 24/12 change the format of the
 * registers.
 */
static void write_b(struct rtc *rtc, uint8_t value, uint64_t now)
{
	refresh(rtc, now);
	rtc->latched = false;
	if (rtc->cmos[REG_B] & B_SET && !(value & B_SET)) {
		rtc->cmos[REG_B] = value;
		rtc->base_time = time_from_registers(rtc);
	}
	rtc->cmos[REG_B] = value;
}

static void write_time(struct rtc *rtc, uint8_t value, uint64_t now)
{
	refresh(rtc, now);
	rtc->cmos[rtc->index] = value;
	if (!(rtc->cmos[REG_B] & B_SET))
		rtc->base_time = time_from_registers(rtc);
}

static void write_data(struct rtc *rtc, uint8_t value, uint64_t now)
{
	switch (rtc->index) {
	case REG_A:
		rtc->cmos[REG_A] = value & (uint8_t)~A_UIP;
		break;
	case REG_B:
		write_b(rtc, value, now);
		break;
	case REG_C: /* read-only */
	case REG_D:
		break;
	default:
		if (is_time(rtc->index))
			write_time(rtc, value, now);
		else
			rtc->cmos[rtc->index] = value;
	}
}

static uint32_t rtc_write(void *dev, const struct io_access *access)
{
	struct rtc *rtc = dev;

	if (access->off != 0) {
		write_data(rtc, (uint8_t)access->value, access->now);
		return 0;
	}
	rtc->index = access->value & (RTC_CMOS_SIZE - 1);
	rtc->nmi_masked = (access->value & 0x80) != 0;
	return 0;
}

static void set_bytes(struct rtc *rtc, unsigned reg, unsigned n, uint64_t value)
{
	uint64_t max = BIT(8 * n) - 1;

	if (value > max)
		value = max;
	for (unsigned i = 0; i < n; i++)
		rtc->cmos[reg + i] = (uint8_t)(value >> (8 * i));
}

void rtc_set_memory(struct rtc *rtc, uint64_t low, uint64_t high)
{
	uint64_t extended = low > MIB(1) ? (low - MIB(1)) / KIB(1) : 0;

	set_bytes(rtc, REG_BASE_MEMORY, 2, low / KIB(1) < BASE_KIB ? low / KIB(1) : BASE_KIB);
	set_bytes(rtc, REG_EXTENDED_MEMORY, 2, extended);
	set_bytes(rtc, REG_EXTENDED_MEMORY_2, 2, extended);
	set_bytes(rtc, REG_MEMORY_16M, 2, low > MIB(16) ? (low - MIB(16)) / KIB(64) : 0);
	set_bytes(rtc, REG_MEMORY_4G, 3, high / KIB(64));
}

/* Ticks of the crystal between two periodic interrupts; 0: there are none. */
static uint64_t period(const struct rtc *rtc)
{
	unsigned rate = rtc->cmos[REG_A] & A_RATE;

	if (rate == 0 || (rtc->cmos[REG_A] & A_DIVIDER) != A_RUNS)
		return 0;
	return BIT((rate <= 2 ? rate + 7 : rate) - 1);
}

static bool alarm_takes(const struct rtc *rtc, unsigned reg, unsigned value)
{
	uint8_t alarm = rtc->cmos[reg];

	if ((alarm & ALARM_ANY) == ALARM_ANY)
		return true;
	return (reg == REG_HOURS_ALARM ? decode_hours(rtc, alarm) : decode(rtc, alarm)) == value;
}

/* The first second of an alarm after 'time'; INT64_MAX: its registers are nonsense. */
static int64_t next_alarm(const struct rtc *rtc, int64_t time)
{
	enum { STEPS = 2 * (24 + 60 + 60) };

	time++;
	for (unsigned i = 0; i < STEPS; i++) {
		int64_t day = time % SECONDS_PER_DAY;
		unsigned second = (unsigned)(day < 0 ? day + SECONDS_PER_DAY : day);

		if (!alarm_takes(rtc, REG_HOURS_ALARM, second / 3600))
			time += 3600 - second % 3600;
		else if (!alarm_takes(rtc, REG_MINUTES_ALARM, second / 60 % 60))
			time += 60 - second % 60;
		else if (!alarm_takes(rtc, REG_SECONDS_ALARM, second % 60))
			time++;
		else
			return time;
	}
	return INT64_MAX;
}

/* What has happened between the two times, as bits of register C. */
static uint8_t events(const struct rtc *rtc, uint64_t since, uint64_t now)
{
	uint64_t from = since > rtc->base_tsc ? since - rtc->base_tsc : 0;
	uint64_t to = now > rtc->base_tsc ? now - rtc->base_tsc : 0, every = period(rtc);
	uint64_t from_s = from / rtc->tsc_hz, to_s = to / rtc->tsc_hz;
	uint8_t ret = 0;

	if (from >= to)
		return 0;
	if (every && tick_count(from, rtc->tsc_hz, CRYSTAL_HZ) / every !=
			     tick_count(to, rtc->tsc_hz, CRYSTAL_HZ) / every)
		ret |= B_PERIODIC;
	if (from_s == to_s || rtc->cmos[REG_B] & B_SET)
		return ret;
	ret |= B_UPDATE;
	if (next_alarm(rtc, rtc->base_time + (int64_t)from_s) <= rtc->base_time + (int64_t)to_s)
		ret |= B_ALARM;
	return ret;
}

bool rtc_take_events(struct rtc *rtc, uint64_t since, uint64_t now)
{
	uint8_t flags = (rtc->cmos[REG_C] & B_ENABLES) | events(rtc, since, now);
	bool line = flags & rtc->cmos[REG_B] & B_ENABLES;

	rtc->cmos[REG_C] = flags | (line ? C_INTERRUPT : 0);
	return line;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t rtc_next_event(const struct rtc *rtc, uint64_t now)
{
	uint64_t passed = now > rtc->base_tsc ? now - rtc->base_tsc : 0, every = period(rtc);
	uint64_t second = passed / rtc->tsc_hz, at = NEVER;
	uint8_t enables = rtc->cmos[REG_B] & B_ENABLES;
	int64_t alarm;

	if (rtc->cmos[REG_C] & enables)
		return NEVER;
	if (enables & B_PERIODIC && every) {
		uint64_t tick = tick_count(passed, rtc->tsc_hz, CRYSTAL_HZ) / every + 1;

		at = rtc->base_tsc + tick_time(tick * every, rtc->tsc_hz, CRYSTAL_HZ);
	}
	if (rtc->cmos[REG_B] & B_SET)
		return at;
	if (enables & B_UPDATE)
		at = earlier(at, rtc->base_tsc + (second + 1) * rtc->tsc_hz);
	alarm = enables & B_ALARM ? next_alarm(rtc, rtc->base_time + (int64_t)second) : INT64_MAX;
	if (alarm != INT64_MAX)
		at = earlier(at, rtc->base_tsc + (uint64_t)(alarm - rtc->base_time) * rtc->tsc_hz);
	return at;
}

int64_t rtc_time(struct rtc *rtc, uint64_t now)
{
	advance(rtc, now);
	return rtc->base_time;
}

/*
 * The range of times to which the clock's registers can be set: from the Roman empire to the far
 * future.
 */
#define TIME_MIN (-(INT64_C(1) << 36))
#define TIME_MAX (INT64_C(1) << 40)

static enum status rtc_check(void *dev, struct state_reader *reader)
{
	const struct rtc *rtc = dev;

	if (rtc->base_time < TIME_MIN || rtc->base_time > TIME_MAX)
		return state_refuse(reader, "base_time cannot be %ld", rtc->base_time);
	return OK;
}

/* tsc_hz belongs to the machine that loads the state. */
static const struct state_field rtc_fields[] = {
	STATE_FIELD(struct rtc, index, RTC_CMOS_SIZE - 1),
	STATE_FIELD(struct rtc, nmi_masked, 1),
	STATE_FIELD(struct rtc, latched, 1),
	STATE_FIELD(struct rtc, latched_tsc, UINT64_MAX),
	STATE_FIELD(struct rtc, base_time, UINT64_MAX),
	STATE_FIELD(struct rtc, base_tsc, UINT64_MAX),
	STATE_ARRAY(struct rtc, cmos, 0xff),
};

const struct device_class rtc_class = {
	.name = "rtc",
	.read = rtc_read,
	.write = rtc_write,
	.fields = rtc_fields,
	.n_fields = ARRAY_SIZE(rtc_fields),
	.check = rtc_check,
};
