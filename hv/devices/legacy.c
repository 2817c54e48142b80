/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's old interrupt controller and timers: which line a timer has, and when it is looked at.
 * HPET and PM timer are with them, because they have the same deadline and the same time.
 * Before an access to one of their ports the timers catch up, and after it the next deadline is
 * found. vCPU 0 keeps the deadline.
 */
#include "hv/devices/legacy.h"

#include "hv/devices/tick.h"

#define SPEAKER_BITS	0x0f
#define SPEAKER_GATE	0x01
#define SPEAKER_REFRESH 0x10
#define SPEAKER_OUTPUT	0x20
#define REFRESH_HZ	66287 /* 15.085 microseconds: PIT_HZ / 18 */

/* On a line that another device holds up, the edge is not seen. */
static void pulse(struct irqchip *chip, unsigned gsi)
{
	if (chip->ioapic.asserted & BIT(gsi))
		return;
	irqchip_set_irq(chip, gsi, true);
	irqchip_set_irq(chip, gsi, false);
}

static bool hpet_replaces(const struct legacy *legacy)
{
	return legacy->has.hpet && hpet_replaces_legacy(&legacy->hpet);
}

static void set_line(struct irqchip *chip, unsigned gsi, bool up)
{
	if (up != !!(chip->ioapic.asserted & BIT(gsi)))
		irqchip_set_irq(chip, gsi, up);
}

/* The lines that more than one device may hold up. */
static void update_lines(struct irqchip *chip)
{
	const struct legacy *legacy = legacy_of(chip);
	uint32_t up = legacy->has.hpet ? hpet_lines(&legacy->hpet) : 0;
	bool clock = legacy->clock_line && !hpet_replaces(legacy);

	set_line(chip, HPET_TIMER_GSI, up & BIT(HPET_TIMER_GSI));
	set_line(chip, LEGACY_CLOCK_GSI, clock || up & BIT(LEGACY_CLOCK_GSI));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t open_lines(struct irqchip *chip)
{
	return (irqchip_is_open(chip, HPET_TIMER_GSI) ? (uint32_t)BIT(HPET_TIMER_GSI) : 0) |
	       (irqchip_is_open(chip, HPET_CLOCK_GSI) ? (uint32_t)BIT(HPET_CLOCK_GSI) : 0);
}

/* The time at which the timers must be looked at next. An edge that cannot be seen may be late. */
static uint64_t next_edge(struct irqchip *chip, uint64_t time)
{
	struct legacy *legacy = legacy_of(chip);
	uint64_t next = LAPIC_NO_DEADLINE;
	uint32_t open = open_lines(chip);

	if (legacy->has.pit && !hpet_replaces(legacy) && open & BIT(IRQCHIP_TIMER_GSI))
		next = pit_next_edge(&legacy->pit, time);
	if (legacy->has.hpet)
		next = earlier(next, hpet_next_event(&legacy->hpet, open, time));
	if (legacy->watchdog.is_news)
		return time;
	return earlier(next, acpi_watchdog_end(&legacy->watchdog));
}

/* An earlier deadline than the one it knows is an event for vCPU 0. */
static void find_deadline(struct irqchip *chip, uint64_t time)
{
	struct legacy *legacy = legacy_of(chip);
	uint64_t old = legacy->irqs.deadline, edge = next_edge(chip, time);

	legacy->irqs.deadline = edge == LAPIC_NO_DEADLINE ? edge : edge + legacy->moved;
	if (legacy->clock_deadline < legacy->irqs.deadline &&
	    irqchip_is_open(chip, LEGACY_CLOCK_GSI))
		legacy->irqs.deadline = legacy->clock_deadline;
	if (legacy->irqs.deadline >= old)
		return;
	chip->lapic[0].kicked = true;
	chip->kicked = true;
}

static void update_hpet(struct irqchip *chip, uint64_t time)
{
	uint32_t edges = hpet_take_edges(&legacy_of(chip)->hpet, time);

	for (; edges != 0; edges &= edges - 1)
		pulse(chip, (unsigned)__builtin_ctz(edges));
	update_lines(chip);
}

void legacy_update(struct irqchip *chip, uint64_t now)
{
	struct legacy *legacy = legacy_of(chip);
	uint64_t time = now - legacy->moved;

	if (legacy->has.pit && pit_take_edge(&legacy->pit, time) && !hpet_replaces(legacy))
		pulse(chip, IRQCHIP_TIMER_GSI);
	if (legacy->has.hpet)
		update_hpet(chip, time);
	acpi_watchdog_look(&legacy->watchdog, time);
	find_deadline(chip, time);
}

void legacy_set_clock(struct irqchip *chip, bool line, uint64_t next, uint64_t now)
{
	struct legacy *legacy = legacy_of(chip);

	if (line && !legacy->clock_line)
		legacy->clock_at = now;
	legacy->clock_line = line;
	update_lines(chip);
	if (next - legacy->clock_at < lapic_min_period)
		next = legacy->clock_at + lapic_min_period;
	legacy->clock_deadline = next;
	legacy->clock_seen = now;
	find_deadline(chip, now - legacy->moved);
}

void legacy_move(struct irqchip *chip, uint64_t by, uint64_t now)
{
	legacy_of(chip)->moved += by;
	legacy_update(chip, now);
}

void legacy_reset(struct irqchip *chip, const struct legacy_parts *parts, uint64_t tsc_hz)
{
	struct legacy *legacy = legacy_of(chip);

	irqchip_add_legacy(chip, parts->pic);
	legacy->has = *parts;
	legacy->speaker = 0;
	legacy->clock_line = false;
	legacy->pm_base = 0;
	legacy->moved = 0;
	legacy->clock_seen = legacy->clock_at = 0;
	legacy->clock_deadline = 0; /* to be found */
	pit_reset(&legacy->pit, tsc_hz);
	hpet_reset(&legacy->hpet, tsc_hz);
	acpi_watchdog_reset(&legacy->watchdog, tsc_hz);
}

void legacy_restart_watchdog(struct irqchip *chip, uint64_t now)
{
	struct legacy *legacy = legacy_of(chip);

	acpi_watchdog_restart(&legacy->watchdog, now - legacy->moved);
}

/* Until 'time', the timers had another frequency. */
static void catch_up(struct legacy *legacy, uint64_t tsc_hz, uint64_t time)
{
	legacy->pm_base += (uint32_t)(tick_count(time, tsc_hz, PM_TIMER_HZ) -
				      tick_count(time, legacy->pit.tsc_hz, PM_TIMER_HZ));
	pit_catch_up(&legacy->pit, tsc_hz, time);
	hpet_catch_up(&legacy->hpet, tsc_hz, time);
}

void legacy_loaded(struct irqchip *chip, uint64_t tsc_hz, uint64_t now)
{
	struct legacy *legacy = legacy_of(chip);

	if (tsc_hz != legacy->pit.tsc_hz)
		catch_up(legacy, tsc_hz, now - legacy->moved);
	if (!legacy->irqs.has_pic)
		return;
	chip->intr = pic_has_interrupt(&legacy->irqs.pic);
	irqchip_update_intr(chip);
}

static uint64_t read_pic(void *dev, const struct io_access *access)
{
	struct irqchip *chip = dev;
	uint64_t value;

	legacy_update(chip, access->now);
	value = pic_read(&legacy_of(chip)->irqs.pic, access->addr);
	irqchip_update_intr(chip);
	return value;
}

static uint32_t write_pic(void *dev, const struct io_access *access)
{
	struct irqchip *chip = dev;

	legacy_update(chip, access->now);
	pic_write(&legacy_of(chip)->irqs.pic, access->addr, (uint8_t)access->value);
	irqchip_update_intr(chip);
	legacy_update(chip, access->now);
	return 0;
}

static uint64_t time_of(const struct legacy *legacy, const struct io_access *access)
{
	return access->now - legacy->moved;
}

static uint64_t read_pit(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	return pit_read(&legacy->pit, access->off, time_of(legacy, access));
}

static uint32_t write_pit(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	legacy_update(dev, access->now);
	pit_write(&legacy->pit, access->off, (uint8_t)access->value, time_of(legacy, access));
	legacy_update(dev, access->now);
	return 0;
}

static uint64_t read_hpet(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	legacy_update(dev, access->now);
	return hpet_read(&legacy->hpet, access->off, time_of(legacy, access));
}

static uint32_t write_hpet(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	legacy_update(dev, access->now);
	hpet_write(&legacy->hpet, access, time_of(legacy, access));
	legacy_update(dev, access->now);
	return 0;
}

static uint64_t read_pm_timer(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);
	uint64_t ticks = tick_count(time_of(legacy, access), legacy->pit.tsc_hz, PM_TIMER_HZ);

	return ((legacy->pm_base + ticks) & BITS(23, 0)) >> access->off * 8;
}

static uint32_t write_pm_timer(void *dev, const struct io_access *access)
{
	(void)dev;
	(void)access;
	return 0;
}

static uint64_t read_watchdog(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	if (access->size != 4)
		return UINT64_MAX;
	return acpi_watchdog_read(&legacy->watchdog, access->off, time_of(legacy, access));
}

static uint32_t write_watchdog(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	if (access->size == 4)
		acpi_watchdog_write(&legacy->watchdog, access->off, (uint32_t)access->value,
				    time_of(legacy, access));
	legacy_update(dev, access->now);
	return 0;
}

/* Bits 3:0 are the guest's. */
static uint64_t read_speaker(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);
	uint64_t time = time_of(legacy, access);
	uint64_t refresh = tick_count(time, legacy->pit.tsc_hz, REFRESH_HZ);

	return legacy->speaker | (refresh & 1 ? SPEAKER_REFRESH : 0) |
	       (pit_output(&legacy->pit, time) ? SPEAKER_OUTPUT : 0);
}

static uint32_t write_speaker(void *dev, const struct io_access *access)
{
	struct legacy *legacy = legacy_of(dev);

	legacy->speaker = access->value & SPEAKER_BITS;
	pit_set_gate(&legacy->pit, access->value & SPEAKER_GATE, time_of(legacy, access));
	return 0;
}

/* The chips and channels have sections of their own; tsc_hz is the machine's that loads them. */
static const struct state_field legacy_fields[] = {
	STATE_FIELD(struct legacy, pit.seen, BITS(47, 0)),
	STATE_FIELD(struct legacy, pit.edge_at, UINT64_MAX),
	STATE_FIELD(struct legacy, moved, UINT64_MAX),
	STATE_FIELD(struct legacy, speaker, SPEAKER_BITS),
	STATE_FIELD(struct legacy, clock_seen, UINT64_MAX),
	STATE_FIELD(struct legacy, clock_at, UINT64_MAX),
	STATE_FIELD(struct legacy, clock_line, 1),
	STATE_FIELD(struct legacy, pm_base, UINT32_MAX),
};

const struct device_class legacy_class = {
	.name = "legacy",
	.fields = legacy_fields,
	.n_fields = ARRAY_SIZE(legacy_fields),
	.since = 5,
};

const struct device_class legacy_pic_class = {.name = "pic", .read = read_pic, .write = write_pic};
const struct device_class legacy_pit_class = {.name = "pit", .read = read_pit, .write = write_pit};
const struct device_class legacy_speaker_class = {
	.name = "speaker", .read = read_speaker, .write = write_speaker};
const struct device_class legacy_hpet_class = {
	.name = "hpet", .read = read_hpet, .write = write_hpet};
const struct device_class legacy_pm_timer_class = {
	.name = "pm-timer", .read = read_pm_timer, .write = write_pm_timer};
const struct device_class legacy_watchdog_class = {
	.name = "acpi-watchdog", .read = read_watchdog, .write = write_watchdog};
