/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What unikernels such as Solo5's and Unikraft's, which are started by Multiboot, ask of a machine:
 * how fast the TSC is, by the counts of the PIT; what time it is, by the RTC; and sleep, by the PIT
 * as a one-shot timer and HLT, as often as it takes.
 */
#include "tests/guest/lib/pc.h"

#define VECTOR_TIMER 0x20
#define TICKS_MAX    65535 /* of a one-shot */
#define UPDATES	     0x80  /* of the clock's register A: it is being updated */

static volatile uint32_t n_interrupts;

static bool take_interrupt(struct trap_frame *f)
{
	(void)f;
	n_interrupts++;
	outb(EOI, PIC_1);
	return true;
}

/* Spin for so many ticks of the PIT, whose channel 0 counts down from 65536 again and again. */
static void delay(unsigned ticks)
{
	unsigned last = latch_count(), passed = 0;

	while (passed < ticks) {
		unsigned count = latch_count();

		passed += (last - count) & 0xffff;
		last = count;
	}
}

/* TSC ticks in a second. */
static uint64_t measure_tsc(void)
{
	const unsigned ticks = PIT_HZ / 20;
	uint64_t start;

	program_channel(0, 2, 0);
	start = rdtsc();
	delay(ticks);
	return (rdtsc() - start) * PIT_HZ / ticks;
}

/* The time of day in seconds; a time that changes while it is read is read again. */
static unsigned read_clock(void)
{
	uint8_t time[3], again[3] = {0xff, 0xff, 0xff};
	unsigned seconds = 0;

	do {
		while (cmos_read(0x0a) & UPDATES)
			cpu_pause();
		for (unsigned i = 0; i < 3; i++) {
			time[i] = again[i];
			again[i] = cmos_read((uint8_t)(2 * (2 - i)));
		}
	} while (time[0] != again[0] || time[1] != again[1] || time[2] != again[2]);
	for (unsigned i = 0; i < 3; i++)
		seconds = seconds * 60 + (time[i] >> 4) * 10u + (time[i] & 15);
	return seconds;
}

/* Sleep to a time of the TSC, as a tickless kernel does. Returns the one-shots. */
static unsigned sleep_until(uint64_t deadline, uint64_t tsc_hz)
{
	unsigned n = 0;

	for (uint64_t now = rdtsc(); now < deadline; now = rdtsc()) {
		uint64_t ticks = (deadline - now) * PIT_HZ / tsc_hz + 1;
		uint32_t before = n_interrupts;

		program_channel(0, 0, (unsigned)(ticks < TICKS_MAX ? ticks : TICKS_MAX));
		outb(0xfe, PIC_1 + 1);
		while (n_interrupts == before)
			sti_hlt_cli();
		outb(0xff, PIC_1 + 1);
		n++;
	}
	return n;
}

static void check_sleep(unsigned ms, uint64_t tsc_hz)
{
	uint64_t start = rdtsc(), wanted = tsc_hz / 1000 * ms;
	unsigned least = (unsigned)((uint64_t)ms * PIT_HZ / 1000 / TICKS_MAX);
	unsigned n = sleep_until(start + wanted, tsc_hz);

	report(rdtsc() - start >= wanted && n > least, "slept %u ms in %u one-shots", ms, n);
}

void payload(void)
{
	uint64_t tsc_hz, told = cycles(PIT_HZ);
	unsigned before, after;

	trap_hook(VECTOR_TIMER, take_interrupt);
	program_pic(VECTOR_TIMER);
	before = read_clock();
	tsc_hz = measure_tsc();
	/* Another VM's turn, or the host's, makes a measurement longer. */
	report(tsc_hz >= told - told / 50, "the TSC has %lu Hz by the PIT, %lu by CPUID", tsc_hz,
	       told);
	check_sleep(1, tsc_hz);
	check_sleep(10, tsc_hz);
	check_sleep(120, tsc_hz);
	after = read_clock();
	report(before < 86400 && after < 86400, "the clock says %u s, then %u s", before, after);
	outb(READ_ISR, PIC_1);
	report(inb(PIC_1) == 0, "nothing is in service after %u interrupts", n_interrupts);
}
