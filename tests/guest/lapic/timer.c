/* SPDX-License-Identifier: BSD-2-Clause */
/* The APIC's timer in its three modes, waking from HLT. */
#include "tests/guest/lapic/lapic.h"

#define VECTOR		   0x48
#define CPUID_TSC_DEADLINE BIT(24)
#define COUNT		   400000
#define LONG_COUNT	   4000000
#define DIVIDE_BY_16	   0x3
#define DIVIDE_BY_1	   0xb

static void start(uint32_t mode, uint32_t count)
{
	irq_count[VECTOR] = 0;
	apic_write(APIC_LVT_TIMER, mode | VECTOR);
	apic_write(APIC_TIMER_INITIAL, count);
}

static void sleep_until(uint32_t n)
{
	while (irq_count[VECTOR] < n)
		sti_hlt_cli();
}

static void one_shot(const char *mode)
{
	uint32_t first, second;

	start(0, UINT32_MAX);
	first = apic_read(APIC_TIMER_CURRENT);
	for (int i = 0; i < 1000; i++)
		cpu_pause();
	second = apic_read(APIC_TIMER_CURRENT);
	report(second < first && second > 0, "%s: timer counts down, %#x %#x", mode, first, second);

	start(0, COUNT);
	sleep_until(1);
	for (int i = 0; i < 1000; i++)
		cpu_pause();
	report(apic_read(APIC_TIMER_CURRENT) == 0 && !apic_requested(VECTOR),
	       "%s: one-shot wakes HLT, once", mode);
	start((uint32_t)LVT_MASKED, 1000);
	while (apic_read(APIC_TIMER_CURRENT) != 0)
		cpu_pause();
	report(!apic_requested(VECTOR), "%s: masked timer asks for nothing", mode);
}

static uint64_t ticks_of(uint32_t divide)
{
	uint64_t begin;

	apic_write(APIC_TIMER_DIVIDE, divide);
	begin = rdtsc();
	start(0, LONG_COUNT);
	sleep_until(1);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	return rdtsc() - begin;
}

static void divide(const char *mode)
{
	uint64_t by_1 = ticks_of(DIVIDE_BY_1), by_16 = ticks_of(DIVIDE_BY_16);

	report(by_16 > 3 * by_1 && by_16 < 64 * by_1, "%s: divide by 16 is %lu ticks, by 1 %lu",
	       mode, by_16, by_1);
}

static void periodic(const char *mode)
{
	start((uint32_t)LVT_PERIODIC, COUNT);
	sleep_until(5);
	report(true, "%s: periodic timer wakes HLT again and again", mode);
	apic_write(APIC_TIMER_INITIAL, 0);
	sti_nop_cli();
	irq_count[VECTOR] = 0;
	for (uint64_t begin = rdtsc(); rdtsc() - begin < 4 * COUNT;)
		cpu_pause();
	report(!apic_requested(VECTOR), "%s: an initial count of 0 stops it", mode);
}

static void tsc_deadline(const char *mode)
{
	uint64_t deadline;

	if (!(cpuid(1, 0).ecx & CPUID_TSC_DEADLINE)) {
		report_missing("%s: TSC deadline: not in CPUID", mode);
		return;
	}
	start((uint32_t)LVT_TSC_DEADLINE, 0);
	deadline = rdtsc() + COUNT;
	wrmsr(MSR_TSC_DEADLINE, deadline);
	report(rdmsr(MSR_TSC_DEADLINE) == deadline || irq_count[VECTOR] != 0,
	       "%s: TSC deadline reads back", mode);
	sleep_until(1);
	report(rdtsc() >= deadline, "%s: TSC deadline not early", mode);
	report(rdmsr(MSR_TSC_DEADLINE) == 0, "%s: TSC deadline disarmed after", mode);
	wrmsr(MSR_TSC_DEADLINE, 1);
	sleep_until(2);
	report(true, "%s: a deadline in the past fires immediately", mode);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + COUNT);
	wrmsr(MSR_TSC_DEADLINE, 0);
	sti_nop_cli(); /* other VMs may have run until the deadline */
	for (uint64_t begin = rdtsc(); rdtsc() - begin < 2 * COUNT;)
		cpu_pause();
	report(!apic_requested(VECTOR), "%s: a deadline of 0 disarms", mode);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + COUNT);
	report(rdmsr(MSR_TSC_DEADLINE) == 0, "%s: no deadline in other modes", mode);
}

void timer_check(const char *mode)
{
	irq_count_on(VECTOR);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	one_shot(mode);
	divide(mode);
	periodic(mode);
	tsc_deadline(mode);
	apic_enable();
	irq_count_off(VECTOR);
}
