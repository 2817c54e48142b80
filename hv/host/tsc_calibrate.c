/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frequency of the TSC. CPUID gives it, of the processor or of a hypervisor below; otherwise
 * the TSC is compared with the 8254 or the ACPI PM timer for a millisecond. Assumes that the TSCs
 * of all processors are synchronous.
 */
#include "hv/host/tsc_calibrate.h"

#include "hv/host/acpi.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/host/tsc_leaf.h"
#include "hv/lib/print.h"

enum {
	LEAF_TSC = 0x15,
	LEAF_FREQUENCY = 0x16,
	HYPERVISOR_PRESENT = 1u << 31, /* leaf 1, ecx */
	PIT_CHANNEL_2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_LATCH_CHANNEL_2 = 0x80,
	PIT_MODE_0_CHANNEL_2 = 0xb0, /* count down once, both bytes */
	PORT_B = 0x61,		     /* gate of channel 2 in bit 0, speaker in bit 1 */
	READS_MAX = 100000,	     /* of a port, at about a microsecond each */
};

#define LEAF_HYPERVISOR	       UINT32_C(0x40000000)
#define LEAF_HYPERVISOR_TIMING UINT32_C(0x40000010)
#define PIT_HZ		       UINT64_C(1193182)
#define PM_TIMER_HZ	       UINT64_C(3579545)
#define BUS_HZ		       UINT64_C(100000000)

enum timer { TIMER_PIT, TIMER_PM };

static void cpuid_or_zero(uint32_t leaf, struct cpuid_regs *ret)
{
	struct cpuid_regs max;

	cpuid(leaf & UINT32_C(0xffff0000), 0, &max);
	*ret = (struct cpuid_regs){0};
	if (leaf <= max.eax)
		cpuid(leaf, 0, ret);
}

static uint64_t hz_from_processor(void)
{
	struct cpuid_regs leaf1, leaf15, leaf16;

	cpuid(1, 0, &leaf1);
	cpuid_or_zero(LEAF_TSC, &leaf15);
	cpuid_or_zero(LEAF_FREQUENCY, &leaf16);
	return tsc_hz_of_leaves(&leaf15, &leaf16, leaf1.eax);
}

/* Several hypervisors give the frequency in kHz in this leaf. */
static uint64_t hz_from_hypervisor(void)
{
	struct cpuid_regs features, range, timing;

	cpuid(1, 0, &features);
	if (!(features.ecx & HYPERVISOR_PRESENT))
		return 0;
	cpuid(LEAF_HYPERVISOR, 0, &range);
	if (range.eax < LEAF_HYPERVISOR_TIMING || range.eax > LEAF_HYPERVISOR + 0xffff)
		return 0;
	cpuid(LEAF_HYPERVISOR_TIMING, 0, &timing);
	return timing.eax * UINT64_C(1000);
}

/* The TSC's multiple of the bus clock; wrong on the few processors with another bus clock. */
static uint64_t hz_nominal(void)
{
	uint64_t info;

	return rdmsr_safe(MSR_PLATFORM_INFO, &info) ? (info >> 8 & 0xff) * BUS_HZ : 0;
}

static void pit_start(void)
{
	outb(PORT_B, (uint8_t)((inb(PORT_B) & ~2u) | 1));
	outb(PIT_COMMAND, PIT_MODE_0_CHANNEL_2);
	outb(PIT_CHANNEL_2, 0xff);
	outb(PIT_CHANNEL_2, 0xff);
}

/* Counts up, modulo 2 to the 16th (8254) or 24th. */
static uint32_t timer_read(enum timer timer)
{
	if (timer == TIMER_PM)
		return inl(acpi.pm_timer_port) & 0xffffff;
	outb(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
	uint32_t low = inb(PIT_CHANNEL_2);

	return ~(low | (uint32_t)inb(PIT_CHANNEL_2) << 8) & 0xffff;
}

/*
 * Wait until the timer has advanced by at least 'count' from 'start'; *ret_tsc is the TSC at that
 * edge. Returns by how much it has advanced, 0 if it does not.
 */
static uint32_t timer_wait(enum timer timer, uint32_t start, uint32_t count, uint64_t *ret_tsc)
{
	uint32_t mask = timer == TIMER_PM ? 0xffffff : 0xffff;

	for (unsigned i = 0; i < READS_MAX; i++) {
		uint32_t moved = (timer_read(timer) - start) & mask;

		*ret_tsc = rdtsc();
		if (moved >= count)
			return moved;
	}
	return 0;
}

static uint64_t hz_from_timer(enum timer timer)
{
	uint64_t hz = timer == TIMER_PM ? PM_TIMER_HZ : PIT_HZ;
	uint64_t tsc_start, tsc_end;
	uint32_t start = timer_read(timer);
	uint32_t edge = timer_wait(timer, start, 1, &tsc_start);

	if (edge == 0)
		return 0;
	uint32_t moved = timer_wait(timer, start + edge, (uint32_t)(hz / 1000), &tsc_end);

	return moved == 0 ? 0 : tsc_hz_of_count(tsc_end - tsc_start, moved, hz, hz_nominal());
}

static const char *find_hz(void)
{
	tsc_hz = hz_from_processor();
	if (tsc_hz != 0)
		return "CPUID";
	tsc_hz = hz_from_hypervisor();
	if (tsc_hz != 0)
		return "the hypervisor below";
	pit_start();
	tsc_hz = hz_from_timer(TIMER_PIT);
	if (tsc_hz != 0)
		return "the 8254";
	if (acpi.pm_timer_port != 0)
		tsc_hz = hz_from_timer(TIMER_PM);
	return tsc_hz != 0 ? "the ACPI PM timer" : NULL;
}

enum status tsc_init(const char **ret_source)
{
	*ret_source = find_hz();
	if (*ret_source != NULL)
		return OK;
	log_error("cannot measure the time-stamp counter: CPUID does not give its "
		  "frequency, and neither the 8254 nor the ACPI PM timer counts");
	return ERR_NOTFOUND;
}
