/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three timers. Sources: IA-PC HPET Specification; ACPI, "Power Management Timer"; Intel 8254
 * Programmable Interval Timer.
 */
#include "hv/host/tsc_timer.h"

#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"

/* Indices of 32-bit registers, and limits of the period. */
enum { HPET_PERIOD = 1, HPET_CONFIG = 4, HPET_COUNT = 60, HPET_ENABLE = 1, HPET_SIZE = 1024 };
#define HPET_PERIOD_MIN UINT32_C(1000000) /* femtoseconds */
#define HPET_PERIOD_MAX UINT32_C(100000000)
#define SECOND_FS	UINT64_C(1000000000000000)

enum {
	PIT_CHANNEL_2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_LATCH_CHANNEL_2 = 0x80,
	PIT_MODE_0_CHANNEL_2 = 0xb0, /* count down once, both bytes */
	PORT_B = 0x61,		     /* gate of channel 2 in bit 0, speaker in bit 1 */
};
#define PIT_HZ	    UINT64_C(1193182)
#define PM_TIMER_HZ UINT64_C(3579545)

static volatile uint32_t *hpet(void)
{
	return phys_to_virt(acpi.hpet);
}

static uint64_t hpet_start(void)
{
	uint32_t period;

	if (acpi.hpet == 0 || paging_map_device(acpi.hpet, HPET_SIZE, PAGING_UC) != OK)
		return 0;
	period = hpet()[HPET_PERIOD];
	if (period < HPET_PERIOD_MIN || period > HPET_PERIOD_MAX)
		return 0;
	hpet()[HPET_CONFIG] |= HPET_ENABLE;
	return SECOND_FS / period;
}

static uint64_t pit_start(void)
{
	outb(PORT_B, (uint8_t)((inb(PORT_B) & ~2u) | 1));
	outb(PIT_COMMAND, PIT_MODE_0_CHANNEL_2);
	outb(PIT_CHANNEL_2, 0xff);
	outb(PIT_CHANNEL_2, 0xff);
	return PIT_HZ;
}

static uint32_t pit_read(void)
{
	outb(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
	uint32_t low = inb(PIT_CHANNEL_2);

	return ~(low | (uint32_t)inb(PIT_CHANNEL_2) << 8) & 0xffff;
}

uint64_t tsc_timer_start(enum tsc_timer timer)
{
	switch (timer) {
	case TSC_TIMER_HPET:
		return hpet_start();
	case TSC_TIMER_PM:
		return acpi.pm_timer_port != 0 ? PM_TIMER_HZ : 0;
	default:
		return pit_start();
	}
}

uint32_t tsc_timer_read(enum tsc_timer timer)
{
	switch (timer) {
	case TSC_TIMER_HPET:
		return hpet()[HPET_COUNT];
	case TSC_TIMER_PM:
		return inl(acpi.pm_timer_port) & 0xffffff;
	default:
		return pit_read();
	}
}

uint32_t tsc_timer_mask(enum tsc_timer timer)
{
	static const uint32_t masks[] = {
		[TSC_TIMER_HPET] = UINT32_MAX, [TSC_TIMER_PM] = 0xffffff, [TSC_TIMER_PIT] = 0xffff};

	return masks[timer];
}
