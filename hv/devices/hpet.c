/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HPET. The state of the counter is its value at a time; the rest is computed when it is asked for.
 * A timer whose comparator is behind the counter when it is set has its event at once, as in QEMU;
 * one of 32 bits compares the low half, and so has an event at each turn of it. Periods that passed
 * without a look are one event. There is no FSB route.
 */
#include "hv/devices/hpet.h"

#include "hv/devices/lapic_timer.h"
#include "hv/devices/tick.h"

enum {
	REG_ID = 0x00,
	REG_CONFIG = 0x10,
	REG_STATUS = 0x20,
	REG_COUNTER = 0xf0,
	REG_TIMERS = 0x100
};
enum { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_SIZE = 0x20 };

#define FEMTOSECONDS	   UINT64_C(1000000000000000)
#define ID		   ((FEMTOSECONDS / HPET_HZ) << 32 | HPET_ID)
#define CONFIG_ENABLE	   0x1
#define CONFIG_LEGACY	   0x2
#define CONFIG_BITS	   (CONFIG_ENABLE | CONFIG_LEGACY)
#define STATUS_BITS	   BITS(HPET_N_TIMERS - 1, 0)
#define TIMER_LEVEL	   0x0002
#define TIMER_ENABLE	   0x0004
#define TIMER_PERIODIC	   0x0008
#define TIMER_CAPABILITIES UINT64_C(0x0030) /* periodic, 64 bits */
#define TIMER_SETS_VALUE   0x0040
#define TIMER_32_BITS	   0x0100
#define TIMER_ROUTE(c)	   ((c) >> 9 & 31)
#define TIMER_BITS	   0x3f4e
#define NEVER		   UINT64_MAX
#define TURN		   BIT(32) /* ticks in which the low half comes round */
#define TICKS_MAX	   BIT(48) /* to look ahead: its cycles fit 64 bits */

static bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static uint64_t counter(const struct hpet *hpet, uint64_t now)
{
	if (!(hpet->config & CONFIG_ENABLE) || is_before(now, hpet->start))
		return hpet->counter;
	return hpet->counter + tick_count(now - hpet->start, hpet->tsc_hz, HPET_HZ);
}

bool hpet_replaces_legacy(const struct hpet *hpet)
{
	return hpet->config & CONFIG_LEGACY;
}

/* The line of a timer as a bit; 0: none. */
static uint32_t line_of(const struct hpet *hpet, unsigned n)
{
	if (n < 2 && hpet_replaces_legacy(hpet))
		return (uint32_t)BIT(n == 0 ? HPET_TIMER_GSI : HPET_CLOCK_GSI);
	return (uint32_t)BIT(TIMER_ROUTE(hpet->timer[n].config)) & HPET_ROUTES;
}

static bool runs(const struct hpet *hpet, unsigned n)
{
	return hpet->config & CONFIG_ENABLE && hpet->timer[n].config & TIMER_ENABLE &&
	       hpet->timer[n].due != NEVER;
}

/* Find the next event of a timer, from the counter's value 'ticks' on. */
static void arm(struct hpet_timer *timer, uint64_t ticks)
{
	timer->due = timer->comparator;
	if (!(timer->config & TIMER_32_BITS))
		return;
	timer->due = (ticks & ~(TURN - 1)) | (uint32_t)timer->comparator;
	if (timer->due < ticks)
		timer->due += TURN;
}

static void arm_all(struct hpet *hpet, uint64_t ticks)
{
	for (unsigned n = 0; n < HPET_N_TIMERS; n++)
		arm(&hpet->timer[n], ticks);
}

/* After an event: the next one is later than 'ticks'. */
static void advance(struct hpet_timer *timer, uint64_t ticks)
{
	bool is_periodic = timer->config & TIMER_PERIODIC && timer->period != 0;
	uint64_t step = is_periodic ? timer->period : TURN;

	if (!is_periodic && !(timer->config & TIMER_32_BITS)) {
		timer->due = NEVER;
		return;
	}
	timer->due += ((ticks - timer->due) / step + 1) * step;
	if (is_periodic)
		timer->comparator =
			timer->config & TIMER_32_BITS ? (uint32_t)timer->due : timer->due;
}

static bool is_due(const struct hpet *hpet, unsigned n, uint64_t ticks)
{
	return runs(hpet, n) && hpet->timer[n].due <= ticks;
}

uint32_t hpet_take_edges(struct hpet *hpet, uint64_t now)
{
	uint64_t ticks = counter(hpet, now);
	uint32_t edges = 0;

	if (is_before(now, hpet->edge_at + lapic_min_period))
		return 0;
	for (unsigned n = 0; n < HPET_N_TIMERS; n++) {
		if (!is_due(hpet, n, ticks))
			continue;
		advance(&hpet->timer[n], ticks);
		hpet->edge_at = now;
		if (hpet->timer[n].config & TIMER_LEVEL)
			hpet->status |= (uint32_t)BIT(n);
		else
			edges |= line_of(hpet, n);
	}
	return edges;
}

uint32_t hpet_lines(const struct hpet *hpet)
{
	uint32_t lines = 0;

	for (unsigned n = 0; n < HPET_N_TIMERS; n++)
		if (hpet->status & BIT(n))
			lines |= line_of(hpet, n);
	return lines;
}

/* When the counter has this value, if it runs. */
static uint64_t time_of(const struct hpet *hpet, uint64_t ticks, uint64_t now)
{
	uint64_t at = counter(hpet, now), left = ticks > at ? ticks - at : 0;

	if (left > TICKS_MAX)
		return now + tick_time(TICKS_MAX, hpet->tsc_hz, HPET_HZ);
	return left == 0 ? now
			 : hpet->start + tick_time(ticks - hpet->counter, hpet->tsc_hz, HPET_HZ);
}

uint64_t hpet_next_event(const struct hpet *hpet, uint32_t open, uint64_t now)
{
	uint64_t first = NEVER, next = hpet->edge_at + lapic_min_period;

	for (unsigned n = 0; n < HPET_N_TIMERS; n++) {
		bool is_up = hpet->timer[n].config & TIMER_LEVEL && hpet->status & BIT(n);
		uint64_t at;

		if (!runs(hpet, n) || is_up || !(line_of(hpet, n) & open))
			continue;
		at = time_of(hpet, hpet->timer[n].due, now);
		first = at < first ? at : first;
	}
	return first != NEVER && is_before(first, next) ? next : first;
}

/* The counter continues from what it is at 'now'. */
static void rebase(struct hpet *hpet, uint64_t now)
{
	hpet->counter = counter(hpet, now);
	hpet->start = now;
}

void hpet_catch_up(struct hpet *hpet, uint64_t tsc_hz, uint64_t now)
{
	uint64_t hz = hpet->tsc_hz;

	hpet->tsc_hz = tsc_hz;
	rebase(hpet, now);
	hpet->tsc_hz = hz;
	hpet->edge_at = now;
}

void hpet_reset(struct hpet *hpet, uint64_t tsc_hz)
{
	*hpet = (struct hpet){.tsc_hz = tsc_hz};
	for (unsigned n = 0; n < HPET_N_TIMERS; n++)
		hpet->timer[n].comparator = hpet->timer[n].due = NEVER;
}

static uint64_t read_timer(const struct hpet_timer *timer, uint64_t reg)
{
	if (reg == TIMER_CONFIG)
		return timer->config | TIMER_CAPABILITIES | (uint64_t)HPET_ROUTES << 32;
	return reg == TIMER_COMPARATOR ? timer->comparator : 0;
}

/* A register of 64 bits. */
static uint64_t read_register(const struct hpet *hpet, uint64_t reg, uint64_t now)
{
	uint64_t n = (reg - REG_TIMERS) / TIMER_SIZE;

	switch (reg) {
	case REG_ID:
		return ID;
	case REG_CONFIG:
		return hpet->config;
	case REG_STATUS:
		return hpet->status;
	case REG_COUNTER:
		return counter(hpet, now);
	default:
		return reg >= REG_TIMERS && n < HPET_N_TIMERS
			       ? read_timer(&hpet->timer[n], reg % TIMER_SIZE)
			       : 0;
	}
}

uint64_t hpet_read(const struct hpet *hpet, uint64_t off, uint64_t now)
{
	return read_register(hpet, off & ~UINT64_C(7), now) >> (off & 7) * 8;
}

/* The register's value after a write of its low half, its high half, or all of it. */
static uint64_t merge(uint64_t old, const struct io_access *access)
{
	if (access->size == 8)
		return access->value;
	if (access->off & 4)
		return (uint32_t)old | access->value << 32;
	return (old & ~BITS(31, 0)) | access->value;
}

static void write_config(struct hpet *hpet, uint64_t value, uint64_t now)
{
	rebase(hpet, now);
	hpet->config = value & CONFIG_BITS;
	arm_all(hpet, hpet->counter);
	if (!(hpet->config & CONFIG_ENABLE))
		hpet->status = 0;
}

static void write_timer_config(struct hpet *hpet, unsigned n, uint64_t value, uint64_t now)
{
	struct hpet_timer *timer = &hpet->timer[n];
	uint32_t old = timer->config;

	timer->config = value & TIMER_BITS;
	if (timer->config & TIMER_32_BITS) {
		timer->comparator = (uint32_t)timer->comparator;
		timer->period = (uint32_t)timer->period;
	}
	if (!(timer->config & TIMER_ENABLE) || !(timer->config & TIMER_LEVEL))
		hpet->status &= ~(uint32_t)BIT(n);
	if ((old ^ timer->config) & (TIMER_ENABLE | TIMER_32_BITS))
		arm(timer, counter(hpet, now));
}

/* In a periodic timer the value is the period, and with the bit for it also the comparator. */
static void write_comparator(struct hpet_timer *timer, const struct io_access *access,
			     uint64_t ticks)
{
	bool is_periodic = timer->config & TIMER_PERIODIC, is_32 = timer->config & TIMER_32_BITS;
	uint64_t mask = is_32 ? BITS(31, 0) : UINT64_MAX;

	if (!is_periodic || timer->config & TIMER_SETS_VALUE)
		timer->comparator = merge(timer->comparator, access) & mask;
	if (is_periodic)
		timer->period = merge(timer->period, access) & mask;
	timer->config &= ~(uint32_t)TIMER_SETS_VALUE;
	arm(timer, ticks);
}

static void write_timer(struct hpet *hpet, unsigned n, const struct io_access *access, uint64_t now)
{
	uint64_t reg = access->off % TIMER_SIZE & ~UINT64_C(7);

	if (reg == TIMER_CONFIG)
		write_timer_config(hpet, n, merge(hpet->timer[n].config, access), now);
	else if (reg == TIMER_COMPARATOR)
		write_comparator(&hpet->timer[n], access, counter(hpet, now));
}

void hpet_write(struct hpet *hpet, const struct io_access *access, uint64_t now)
{
	uint64_t reg = access->off & ~UINT64_C(7), n = (reg - REG_TIMERS) / TIMER_SIZE;

	if (access->size < 4)
		return;
	if (reg == REG_CONFIG)
		write_config(hpet, merge(hpet->config, access), now);
	else if (reg == REG_STATUS)
		hpet->status &= ~(uint32_t)merge(0, access);
	else if (reg == REG_COUNTER && !(hpet->config & CONFIG_ENABLE))
		hpet->counter = merge(hpet->counter, access);
	else if (reg >= REG_TIMERS && n < HPET_N_TIMERS)
		write_timer(hpet, (unsigned)n, access, now);
}

#define TIMER_FIELDS(n) \
	STATE_FIELD(struct hpet, timer[n].comparator, UINT64_MAX), \
		STATE_FIELD(struct hpet, timer[n].period, UINT64_MAX), \
		STATE_FIELD(struct hpet, timer[n].due, UINT64_MAX), \
		STATE_FIELD(struct hpet, timer[n].config, TIMER_BITS), \
		STATE_FIELD(struct hpet, timer[n].reserved, 0)

static const struct state_field hpet_fields[] = {
	TIMER_FIELDS(0),
	TIMER_FIELDS(1),
	TIMER_FIELDS(2),
	STATE_FIELD(struct hpet, counter, UINT64_MAX),
	STATE_FIELD(struct hpet, start, UINT64_MAX),
	STATE_FIELD(struct hpet, edge_at, UINT64_MAX),
	STATE_FIELD(struct hpet, config, CONFIG_BITS),
	STATE_FIELD(struct hpet, status, STATUS_BITS),
};

const struct device_class hpet_class = {
	.name = "hpet",
	.fields = hpet_fields,
	.n_fields = ARRAY_SIZE(hpet_fields),
	.since = 5,
};
