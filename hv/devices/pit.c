/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * i8254 (the 82C54 datasheet). A channel's state is the time at which its count began; count and
 * output are computed when they are asked for. A new count is loaded at once, also in the periodic
 * modes. Periods that passed without a look cause one edge.
 */
#include "hv/devices/pit.h"

#include "hv/devices/lapic_timer.h"
#include "hv/devices/tick.h"

enum pit_access { ACCESS_LATCH = 0, ACCESS_LOW = 1, ACCESS_HIGH = 2, ACCESS_BOTH = 3 };
enum { MODE_COUNT, MODE_ONE_SHOT, MODE_RATE, MODE_SQUARE, MODE_STROBE, MODE_TRIGGERED_STROBE };

#define OFF_CONTROL	  3
#define READ_BACK	  3    /* in place of a channel's number */
#define READ_BACK_COUNT	  0x20 /* low: latch the counts */
#define READ_BACK_STATUS  0x10 /* low: latch the status */
#define STATUS_OUTPUT	  0x80
#define STATUS_NULL_COUNT 0x40
#define MAX_BINARY	  0x10000
#define MAX_BCD		  10000
#define NEVER		  UINT64_MAX

/* On the circle of the times of a clock with 64 bits. */
static bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static bool is_periodic(const struct pit_channel *channel)
{
	return channel->mode == MODE_RATE || channel->mode == MODE_SQUARE;
}

/* The modes that begin when the gate rises, not when the count is written. */
static bool is_triggered(const struct pit_channel *channel)
{
	return channel->mode == MODE_ONE_SHOT || channel->mode == MODE_TRIGGERED_STROBE;
}

static bool is_stopped(const struct pit_channel *channel)
{
	return !channel->gate && !is_triggered(channel);
}

/* Ticks since the count began. */
static uint64_t ticks(const struct pit *pit, const struct pit_channel *channel, uint64_t now)
{
	if (is_stopped(channel) || is_before(now, channel->start))
		return channel->passed;
	return tick_count(now - channel->start, pit->tsc_hz, PIT_HZ);
}

static unsigned to_bcd(unsigned value)
{
	return value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
}

static unsigned from_bcd(unsigned value)
{
	return (value >> 12) * 1000 + (value >> 8 & 0xf) * 100 + (value >> 4 & 0xf) * 10 +
	       (value & 0xf);
}

/* What the guest reads as the count. */
static uint16_t current_count(const struct pit *pit, const struct pit_channel *channel,
			      uint64_t now)
{
	uint32_t range = channel->bcd ? MAX_BCD : MAX_BINARY, n = channel->count, left = n;
	uint64_t t = ticks(pit, channel, now);

	if (channel->counts && channel->mode == MODE_SQUARE)
		left = n - (uint32_t)(2 * t % n);
	else if (channel->counts && channel->mode == MODE_RATE)
		left = n - (uint32_t)(t % n);
	else if (channel->counts)
		left = (uint32_t)((n + range - t % range) % range);
	left %= range;
	return (uint16_t)(channel->bcd ? to_bcd(left) : left);
}

static bool output(const struct pit *pit, const struct pit_channel *channel, uint64_t now)
{
	uint64_t t = ticks(pit, channel, now), n = channel->count;

	if (!channel->counts || (is_periodic(channel) && is_stopped(channel)))
		return channel->mode != MODE_COUNT;
	switch (channel->mode) {
	case MODE_COUNT:
	case MODE_ONE_SHOT:
		return t >= n;
	case MODE_RATE:
		return t % n != n - 1;
	case MODE_SQUARE:
		return t % n < (n + 1) / 2;
	default:
		return t != n;
	}
}

/* The first tick after 't' at which the output rises. */
static uint64_t next_rise(const struct pit_channel *channel, uint64_t t)
{
	uint64_t n = channel->count;

	if (is_periodic(channel))
		return (t / n + 1) * n;
	if (channel->mode == MODE_STROBE || channel->mode == MODE_TRIGGERED_STROBE)
		n++;
	return t < n ? n : NEVER;
}

uint64_t pit_next_edge(const struct pit *pit, uint64_t now)
{
	const struct pit_channel *channel = &pit->channel[0];
	uint64_t rise = next_rise(channel, pit->seen), at;

	if (!channel->counts || is_stopped(channel) || rise == NEVER)
		return NEVER;
	at = channel->start + tick_time(rise, pit->tsc_hz, PIT_HZ);
	if (is_before(at, pit->edge_at + lapic_min_period))
		at = pit->edge_at + lapic_min_period;
	return is_before(at, now) ? now : at;
}

bool pit_take_edge(struct pit *pit, uint64_t now)
{
	uint64_t seen = ticks(pit, &pit->channel[0], now);

	if (pit_next_edge(pit, now) != now)
		return false;
	/* The clocks of a guest's processors may differ. */
	pit->seen = seen > pit->seen ? seen : pit->seen;
	pit->edge_at = now;
	return true;
}

bool pit_output(const struct pit *pit, uint64_t now)
{
	return output(pit, &pit->channel[PIT_SPEAKER], now);
}

static void begin(struct pit *pit, struct pit_channel *channel, uint64_t now)
{
	channel->counts = true;
	channel->start = now;
	channel->passed = 0;
	if (channel == pit->channel)
		pit->seen = 0;
}

void pit_set_gate(struct pit *pit, bool gate, uint64_t now)
{
	struct pit_channel *channel = &pit->channel[PIT_SPEAKER];
	bool was_loaded = channel->counts || is_triggered(channel);

	if (gate == channel->gate)
		return;
	channel->passed = ticks(pit, channel, now);
	channel->gate = gate;
	if (!gate || !was_loaded)
		return;
	if (is_periodic(channel) || is_triggered(channel))
		begin(pit, channel, now);
	else
		channel->start = now - tick_time(channel->passed, pit->tsc_hz, PIT_HZ);
}

void pit_catch_up(struct pit *pit, uint64_t tsc_hz, uint64_t now)
{
	for (unsigned i = 0; i < PIT_N_CHANNELS; i++) {
		struct pit_channel *channel = &pit->channel[i];
		uint64_t passed = is_before(now, channel->start) ? 0 : now - channel->start;

		channel->start =
			now - tick_time(tick_count(passed, tsc_hz, PIT_HZ), pit->tsc_hz, PIT_HZ);
	}
	pit->edge_at = now;
}

void pit_reset(struct pit *pit, uint64_t tsc_hz)
{
	*pit = (struct pit){.tsc_hz = tsc_hz};
	for (unsigned i = 0; i < PIT_N_CHANNELS; i++)
		pit->channel[i] = (struct pit_channel){.count = MAX_BINARY,
						       .mode = MODE_SQUARE,
						       .access = ACCESS_BOTH,
						       .gate = i != PIT_SPEAKER,
						       .counts = true};
}

static void latch_count(const struct pit *pit, struct pit_channel *channel, uint64_t now)
{
	if (channel->latched)
		return;
	channel->latched = true;
	channel->second_out = false;
	channel->latch = current_count(pit, channel, now);
}

static void latch_status(const struct pit *pit, struct pit_channel *channel, uint64_t now)
{
	if (channel->has_status)
		return;
	channel->has_status = true;
	channel->status = (uint8_t)((output(pit, channel, now) ? STATUS_OUTPUT : 0) |
				    (channel->counts ? 0 : STATUS_NULL_COUNT) |
				    channel->access << 4 | channel->mode << 1 | channel->bcd);
}

/* Bits 1 to 3 choose the channels. */
static void read_back(struct pit *pit, uint8_t value, uint64_t now)
{
	for (unsigned i = 0; i < PIT_N_CHANNELS; i++) {
		struct pit_channel *channel = &pit->channel[i];

		if (!(value & 2 << i))
			continue;
		if (!(value & READ_BACK_COUNT))
			latch_count(pit, channel, now);
		if (!(value & READ_BACK_STATUS))
			latch_status(pit, channel, now);
	}
}

static void write_control(struct pit *pit, uint8_t value, uint64_t now)
{
	struct pit_channel *channel = &pit->channel[value >> 6];
	uint8_t mode = value >> 1 & 7;

	if (value >> 6 == READ_BACK) {
		read_back(pit, value, now);
		return;
	}
	if ((value >> 4 & 3) == ACCESS_LATCH) {
		latch_count(pit, channel, now);
		return;
	}
	*channel = (struct pit_channel){
		.count = channel->count,
		.mode = mode > MODE_TRIGGERED_STROBE ? mode - 4 : mode,
		.bcd = value & 1,
		.access = value >> 4 & 3,
		.gate = channel->gate,
	};
}

static void load(struct pit *pit, struct pit_channel *channel, unsigned value, uint64_t now)
{
	unsigned count = channel->bcd ? from_bcd(value) : value;

	if (count == 0)
		count = channel->bcd ? MAX_BCD : MAX_BINARY;
	channel->count = count;
	if (!is_triggered(channel))
		begin(pit, channel, now);
}

static void write_count(struct pit *pit, struct pit_channel *channel, uint8_t value, uint64_t now)
{
	switch (channel->access) {
	case ACCESS_LOW:
		load(pit, channel, value, now);
		break;
	case ACCESS_HIGH:
		load(pit, channel, (unsigned)value << 8, now);
		break;
	default:
		if (channel->second_in)
			load(pit, channel, (unsigned)value << 8 | channel->low, now);
		else if (channel->mode == MODE_COUNT)
			channel->counts = false; /* the first byte stops the count */
		channel->low = value;
		channel->second_in = !channel->second_in;
	}
}

static uint8_t read_count(struct pit *pit, struct pit_channel *channel, uint64_t now)
{
	uint16_t count = channel->latched ? channel->latch : current_count(pit, channel, now);
	bool high = channel->access == ACCESS_HIGH || channel->second_out;

	if (channel->access == ACCESS_BOTH)
		channel->second_out = !channel->second_out;
	if (!channel->second_out)
		channel->latched = false;
	return (uint8_t)(high ? count >> 8 : count);
}

uint8_t pit_read(struct pit *pit, uint64_t off, uint64_t now)
{
	struct pit_channel *channel = &pit->channel[off];

	if (off == OFF_CONTROL)
		return 0xff; /* write-only */
	if (channel->has_status) {
		channel->has_status = false;
		return channel->status;
	}
	return read_count(pit, channel, now);
}

void pit_write(struct pit *pit, uint64_t off, uint8_t value, uint64_t now)
{
	if (off == OFF_CONTROL)
		write_control(pit, value, now);
	else
		write_count(pit, &pit->channel[off], value, now);
}

static enum status channel_check(void *dev, struct state_reader *reader)
{
	const struct pit_channel *channel = dev;

	if (channel->count == 0 || channel->count > (channel->bcd ? MAX_BCD : MAX_BINARY))
		return state_refuse(reader, "cannot count %u", channel->count);
	if (channel->mode > MODE_TRIGGERED_STROBE || channel->access == ACCESS_LATCH)
		return state_refuse(reader, "has an impossible mode");
	return OK;
}

static const struct state_field pit_channel_fields[] = {
	STATE_FIELD(struct pit_channel, start, UINT64_MAX),
	STATE_FIELD(struct pit_channel, passed, BITS(47, 0)),
	STATE_FIELD(struct pit_channel, count, BITS(16, 0)),
	STATE_FIELD(struct pit_channel, latch, 0xffff),
	STATE_FIELD(struct pit_channel, mode, 7),
	STATE_FIELD(struct pit_channel, bcd, 1),
	STATE_FIELD(struct pit_channel, access, 3),
	STATE_FIELD(struct pit_channel, second_in, 1),
	STATE_FIELD(struct pit_channel, second_out, 1),
	STATE_FIELD(struct pit_channel, low, 0xff),
	STATE_FIELD(struct pit_channel, latched, 1),
	STATE_FIELD(struct pit_channel, has_status, 1),
	STATE_FIELD(struct pit_channel, status, 0xff),
	STATE_FIELD(struct pit_channel, gate, 1),
	STATE_FIELD(struct pit_channel, counts, 1),
};

const struct device_class pit_channel_class = {
	.name = "pit",
	.fields = pit_channel_fields,
	.n_fields = ARRAY_SIZE(pit_channel_fields),
	.check = channel_check,
	.since = 5,
};
