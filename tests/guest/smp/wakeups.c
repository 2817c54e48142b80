/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processors that sleep, and wake each other up: each round, a processor halts until its
 * timer, another processor's answer, or the serial port's interrupt has come, and nothing else but
 * that may have woken it. A wake-up that is lost is told by the timer, or by the boot processor if
 * that was the timer's. At last the boot processor asks the others while they sleep without a
 * timer: nothing else wakes them then, which could hide that a wake-up was lost.
 *
 * cpus=	the number of processors
 * rounds=	of each
 */
#include "tests/guest/lib/smp.h"

#define VECTOR_PING   0x41
#define VECTOR_PONG   0x51
#define VECTOR_SERIAL 0x61
#define VECTOR_TIMER  0x71

#define ICR_ASSERT    0x4000u
#define MSR_PV_EOI_EN UINT32_C(0x4b564d04)
#define PV_EOI	      BIT(6) /* of KVM's features */
#define SERIAL_GSI    4
#define SERIAL_IER    0x3f9
#define SERIAL_IIR    0x3fa
#define IER_THRE      2
#define LIMIT	      UINT64_C(1000000000) /* of ticks: after that, a wake-up counts as lost */

static struct {
	volatile uint32_t mail[SMP_MAX]; /* from each processor */
	volatile uint32_t n_pongs, n_serial, n_timer;
	volatile uint32_t eoi; /* KVM's flag */
	volatile uint32_t n_rounds, n_lost;
	uint32_t random;
} self[SMP_MAX] __attribute__((aligned(64)));

static unsigned n_cpus;
static uint32_t rounds;
static volatile uint32_t serial_lock, n_done;

/* As Linux does it. */
static void end_interrupt(unsigned cpu)
{
	bool was_set;

	asm volatile("btrl $0, %0" : "+m"(self[cpu].eoi), "=@ccc"(was_set));
	if (!was_set)
		apic_write(APIC_EOI, 0);
}

static bool get_ping(struct trap_frame *f)
{
	unsigned cpu = smp_self();

	(void)f;
	end_interrupt(cpu);
	for (unsigned from = 0; from < n_cpus; from++)
		if (__atomic_exchange_n(&self[cpu].mail[from], 0, __ATOMIC_SEQ_CST))
			smp_send(smp_id(from), ICR_ASSERT | VECTOR_PONG);
	return true;
}

static bool get_pong(struct trap_frame *f)
{
	unsigned cpu = smp_self();

	(void)f;
	self[cpu].n_pongs++;
	end_interrupt(cpu);
	return true;
}

static bool get_serial(struct trap_frame *f)
{
	unsigned cpu = smp_self();

	(void)f;
	(void)inb(SERIAL_IIR);
	self[cpu].n_serial++;
	end_interrupt(cpu);
	return true;
}

static bool get_timer(struct trap_frame *f)
{
	unsigned cpu = smp_self();

	(void)f;
	self[cpu].n_timer++;
	end_interrupt(cpu);
	return true;
}

static uint32_t next_random(unsigned cpu)
{
	self[cpu].random = self[cpu].random * 1664525 + 1013904223;
	return self[cpu].random >> 8;
}

static void set_timer(uint64_t ticks)
{
	wrmsr(MSR_TSC_DEADLINE, ticks ? rdtsc() + ticks : 0);
}

/* Halt until the counter moves. The timer comes later, if that is not it. */
static void sleep_until(unsigned cpu, volatile const uint32_t *counter, uint32_t before)
{
	uint32_t n_timer = self[cpu].n_timer;

	while (*counter == before && self[cpu].n_timer == n_timer)
		sti_hlt_cli();
	self[cpu].n_lost += *counter == before;
	set_timer(0);
}

static void ask(unsigned cpu)
{
	unsigned other = (cpu + 1 + next_random(cpu) % (n_cpus - 1)) % n_cpus;
	uint32_t before = self[cpu].n_pongs;

	set_timer(LIMIT);
	__atomic_store_n(&self[other].mail[cpu], 1, __ATOMIC_SEQ_CST);
	smp_send(smp_id(other), ICR_ASSERT | VECTOR_PING);
	sleep_until(cpu, &self[cpu].n_pongs, before);
}

static void use_serial(unsigned cpu)
{
	uint32_t before = self[cpu].n_serial;

	while (__atomic_exchange_n(&serial_lock, 1, __ATOMIC_SEQ_CST))
		sti_nop_cli();
	set_timer(LIMIT);
	ioapic_route(SERIAL_GSI, VECTOR_SERIAL, false);
	outb(IER_THRE, SERIAL_IER);
	sleep_until(cpu, &self[cpu].n_serial, before);
	outb(0, SERIAL_IER);
	__atomic_store_n(&serial_lock, 0, __ATOMIC_SEQ_CST);
}

static void nap(unsigned cpu)
{
	uint32_t before = self[cpu].n_timer;

	set_timer(1 + next_random(cpu) % 200000);
	sleep_until(cpu, &self[cpu].n_timer, before);
}

static bool has_pv_eoi(void)
{
	for (uint32_t leaf = 0x40000000; leaf < 0x40001000; leaf += 0x100)
		if (cpuid(leaf, 0).ebx == 0x4b4d564b) /* "KVMK" */
			return cpuid(leaf + 1, 0).eax & PV_EOI;
	return false;
}

static void work(unsigned cpu)
{
	static void (*const ways[])(unsigned cpu) = {nap, ask, use_serial, ask};

	self[cpu].random = cpu + 1;
	if (has_pv_eoi())
		wrmsr(MSR_PV_EOI_EN, (uint64_t)&self[cpu].eoi | 1);
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_TIMER);
	while (self[cpu].n_rounds < rounds) {
		ways[next_random(cpu) % 4](cpu);
		self[cpu].n_rounds++;
	}
	__atomic_fetch_add(&n_done, 1, __ATOMIC_SEQ_CST);
	while (cpu != 0) /* others may still ask */
		sti_hlt_cli();
}

/* Others may have more to do. Halts only while the timer runs. */
static void wait_for_others(void)
{
	uint32_t seen = 0;

	for (unsigned quiet = 0; n_done < n_cpus && quiet < 10; quiet++) {
		uint32_t sum = 0;

		for (unsigned cpu = 0; cpu < n_cpus; cpu++)
			sum += self[cpu].n_rounds;
		if (sum != seen)
			quiet = 0;
		seen = sum;
		set_timer(LIMIT / 10);
		sti_hlt_cli();
	}
}

static void ask_sleepers(void)
{
	uint32_t n_lost = self[0].n_lost, n = self[0].n_pongs;

	for (uint32_t i = 0; i < rounds; i++)
		ask(0);
	report(self[0].n_lost == n_lost && self[0].n_pongs == n + rounds,
	       "%u answers of sleepers, %u wake-ups lost", self[0].n_pongs - n,
	       self[0].n_lost - n_lost);
}

void payload(void)
{
	rounds = (uint32_t)param_number("rounds", 100);
	n_cpus = smp_find();
	report(n_cpus == param_number("cpus", 2) && n_cpus > 1, "%u processors", n_cpus);
	if (n_cpus < 2)
		return;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	apic_enable();
	trap_hook(VECTOR_PING, get_ping);
	trap_hook(VECTOR_PONG, get_pong);
	trap_hook(VECTOR_SERIAL, get_serial);
	trap_hook(VECTOR_TIMER, get_timer);
	report(smp_start(work), "all start");
	work(0);
	wait_for_others();
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		report(self[cpu].n_rounds == rounds && self[cpu].n_lost == 0,
		       "processor %u: %u rounds, %u wake-ups lost; %u timers, %u answers, "
		       "%u of the serial port",
		       cpu, self[cpu].n_rounds, self[cpu].n_lost, self[cpu].n_timer,
		       self[cpu].n_pongs, self[cpu].n_serial);
	if (n_done == n_cpus)
		ask_sleepers();
}
