/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processors: start each other by INIT and SIPI, and interrupt each other in every way,
 * in xAPIC and x2APIC mode.
 *
 * cpus=	the number of processors
 * ids=		the highest APIC ID, if IDs have gaps
 * wait=	TSC ticks after which an interrupt counts as lost
 */
#include "tests/guest/lib/smp.h"

#define VECTOR_PING 0x51
#define VECTOR_PONG 0x52
#define VECTOR_ANY  0x53
#define VECTOR_NMI  2

#define ICR_ASSERT 0x4000u
#define ICR_LOWEST 0x0100u
#define ICR_NMI	   0x0400u
#define ICR_INIT   0x0500u
#define ICR_SIPI   0x0600u
#define ICR_SELF   0x40000u
#define ICR_ALL	   0x80000u
#define ICR_OTHERS 0xc0000u

#define REAL_PAGE	 UINT64_C(0x9000)
#define AP_PAGE_CS	 0x800u
#define CPUID_X2APIC	 BIT(21)
#define N_ROUNDS	 200
#define N_ROUNDS_OF_NMIS 20

extern const uint8_t real_start[], real_pushed[], real_end[];

static unsigned n_cpus;
static volatile uint32_t got_any[SMP_MAX], got_nmi[SMP_MAX], got_ping[SMP_MAX];
static volatile uint64_t alive[SMP_MAX], tsc[SMP_MAX];
static volatile struct {
	uint32_t leaf1, leaf0b, base;
} told[SMP_MAX];

static bool count_any(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&got_any[smp_self()], 1, __ATOMIC_SEQ_CST);
	apic_write(APIC_EOI, 0);
	return true;
}

static bool count_nmi(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&got_nmi[smp_self()], 1, __ATOMIC_SEQ_CST);
	return true;
}

static bool answer(struct trap_frame *f)
{
	unsigned cpu = smp_self();

	(void)f;
	tsc[cpu] = rdtsc();
	got_ping[cpu]++;
	apic_write(APIC_EOI, 0);
	smp_send(smp_id(0), ICR_ASSERT | VECTOR_PONG);
	return true;
}

/* Halt, and let interrupts do the work. */
static void sleep_for_ever(unsigned cpu)
{
	told[cpu].leaf1 = cpuid(1, 0).ebx >> 24;
	told[cpu].leaf0b = cpuid(0xb, 0).edx;
	told[cpu].base = (uint32_t)rdmsr(MSR_APIC_BASE);
	for (;;) {
		alive[cpu]++;
		sti_hlt_cli();
	}
}

static void spin_for_ever(unsigned cpu)
{
	for (;;)
		alive[cpu]++;
}

static void wait_a_little(void)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < param_number("wait", 2000000))
		cpu_pause();
}

static bool wait_until(volatile const uint32_t *counter, uint32_t n)
{
	uint64_t start = rdtsc();

	while (*counter < n && rdtsc() - start < WAIT_TICKS)
		sti_nop_cli();
	return *counter >= n;
}

static void check_start(const char *mode)
{
	bool came = true, entered = true, identified = true;
	struct smp_entry entry;

	for (unsigned cpu = 1; cpu < n_cpus && came; cpu++) {
		came = smp_start_one(cpu, sleep_for_ever, &entry);
		entered &= entry.cs == AP_PAGE_CS && entry.edx == cpuid(1, 0).eax;
	}
	report(came, "%s: all processors start", mode);
	report(entered, "%s: in real mode, with the signature in EDX", mode);
	wait_a_little();
	for (unsigned cpu = 1; cpu < n_cpus; cpu++)
		identified &= alive[cpu] != 0 && told[cpu].leaf1 == (smp_id(cpu) & 0xff) &&
			      told[cpu].leaf0b == smp_id(cpu) &&
			      !(told[cpu].base & BIT(8)); /* not the boot processor */
	report(identified, "%s: CPUID's APIC IDs are the MADT's", mode);
}

/* From BSP to AP and back; the TSC must not go backwards on the way. */
static void check_ping_pong(const char *mode)
{
	bool ok = true, ordered = true;

	irq_count_on(VECTOR_PONG);
	trap_hook(VECTOR_PING, answer);
	for (unsigned round = 0; round < N_ROUNDS && ok; round++) {
		unsigned cpu = 1 + round % (n_cpus - 1);
		uint64_t before = rdtsc();

		smp_send(smp_id(cpu), ICR_ASSERT | VECTOR_PING);
		ok = wait_until(&irq_count[VECTOR_PONG], round + 1);
		ordered &= tsc[cpu] > before && rdtsc() > tsc[cpu];
	}
	report(ok && irq_count[VECTOR_PONG] == N_ROUNDS, "%s: %u interrupts to others and back",
	       mode, irq_count[VECTOR_PONG]);
	report(ordered, "%s: the TSCs agree", mode);
	irq_count_off(VECTOR_PONG);
}

static void clear(volatile uint32_t *counters)
{
	for (unsigned cpu = 0; cpu < SMP_MAX; cpu++)
		counters[cpu] = 0;
}

static uint32_t sum(volatile const uint32_t *counters)
{
	uint32_t n = 0;

	for (unsigned cpu = 0; cpu < SMP_MAX; cpu++)
		n += counters[cpu];
	return n;
}

static uint32_t wait_for_sum(volatile const uint32_t *counters, uint32_t n)
{
	uint64_t start = rdtsc();

	while (sum(counters) < n && rdtsc() - start < WAIT_TICKS)
		sti_nop_cli();
	return sum(counters);
}

/* Wait for 'n' in total, and a little longer to catch one too many. */
static uint32_t gather(volatile const uint32_t *counters, uint32_t n)
{
	(void)wait_for_sum(counters, n);
	wait_a_little();
	sti_nop_cli();
	return sum(counters);
}

static void check_shorthands(const char *mode)
{
	trap_hook(VECTOR_ANY, count_any);
	trap_hook(VECTOR_NMI, count_nmi);
	clear(got_any);
	smp_send(0, ICR_SELF | ICR_ASSERT | VECTOR_ANY);
	report(gather(got_any, 1) == 1 && got_any[0] == 1, "%s: self", mode);
	clear(got_any);
	smp_send(0, ICR_ALL | ICR_ASSERT | VECTOR_ANY);
	report(gather(got_any, n_cpus) == n_cpus && got_any[0] == 1, "%s: all", mode);
	clear(got_any);
	smp_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR_ANY);
	report(gather(got_any, n_cpus - 1) == n_cpus - 1 && got_any[0] == 0, "%s: all but self",
	       mode);
	clear(got_any);
	smp_send(apic_is_x2() ? ~0u : 0xff, ICR_ASSERT | VECTOR_ANY);
	report(gather(got_any, n_cpus) == n_cpus, "%s: broadcast ID", mode);
	clear(got_nmi);
	smp_send(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
	report(gather(got_nmi, n_cpus - 1) == n_cpus - 1 && got_nmi[0] == 0,
	       "%s: NMI to all but self", mode);
	clear(got_nmi);
	smp_send(smp_id(1), ICR_ASSERT | ICR_NMI);
	report(gather(got_nmi, 1) == 1 && got_nmi[1] == 1, "%s: NMI to one", mode);
}

/* A processor takes one NMI, and holds another until the handler returns. TCG holds one in all. */
static void check_two_nmis(const char *mode)
{
	uint32_t n = 2 * N_ROUNDS_OF_NMIS;

	if (!param_given("strict"))
		return;
	clear(got_nmi);
	for (uint32_t i = 0; i < n && sum(got_nmi) == i; i += 2) {
		smp_send(smp_id(1), ICR_ASSERT | ICR_NMI);
		smp_send(smp_id(1), ICR_ASSERT | ICR_NMI);
		(void)wait_for_sum(got_nmi, i + 2);
	}
	report(gather(got_nmi, n) == n, "%s: two NMIs at once: %u of %u", mode, sum(got_nmi), n);
}

static void check_lowest(const char *mode)
{
	uint32_t n = 4 * n_cpus;

	clear(got_any);
	for (uint32_t i = 0; i < n && sum(got_any) == i; i++) {
		smp_send(apic_is_x2() ? ~0u : 0xff, ICR_ASSERT | ICR_LOWEST | VECTOR_ANY);
		(void)wait_for_sum(got_any, i + 1);
	}
	report(gather(got_any, n) == n, "%s: a message of lowest priority has one taker", mode);
}

static void check_restart(const char *mode)
{
	struct smp_entry entry;
	uint64_t before;
	bool stopped, came;

	smp_send(smp_id(1), ICR_ASSERT | ICR_INIT);
	wait_a_little();
	before = alive[1];
	clear(got_any);
	smp_send(smp_id(1), ICR_ASSERT | VECTOR_ANY);
	wait_a_little();
	stopped = alive[1] == before && got_any[1] == 0;
	report(stopped, "%s: after an INIT nothing runs", mode);
	came = smp_start_one(1, spin_for_ever, &entry);
	wait_a_little();
	report(came && alive[1] != before, "%s: until a SIPI", mode);
	smp_send(smp_id(1), ICR_ASSERT | ICR_INIT);
	wait_a_little();
	before = alive[1];
	wait_a_little();
	report(alive[1] == before, "%s: an INIT stops a processor that never exits", mode);
	clear(got_any);
	smp_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR_ANY);
	report(gather(got_any, n_cpus - 2) == n_cpus - 2, "%s: the others do not notice", mode);
}

static void check_mode(const char *mode)
{
	check_start(mode);
	check_ping_pong(mode);
	check_shorthands(mode);
	check_two_nmis(mode);
	check_lowest(mode);
	check_restart(mode);
}

/* No error code is pushed, although the delivery is interrupted. TCG knows no limits in real mode.
 */
static void check_fault_in_real_mode(void)
{
	volatile const uint16_t *pushed =
		(volatile const uint16_t *)(REAL_PAGE + (uint64_t)(real_pushed - real_start));
	uint64_t start = rdtsc();

	if (!param_given("strict"))
		return;
	memcpy((void *)REAL_PAGE, real_start, (size_t)(real_end - real_start));
	smp_send(smp_id(1), ICR_ASSERT | ICR_INIT);
	smp_send(smp_id(1), ICR_ASSERT | ICR_SIPI | REAL_PAGE >> 12);
	while (*pushed == 0 && rdtsc() - start < WAIT_TICKS)
		cpu_pause();
	report(*pushed == 6, "#GP in real mode pushes %u bytes", *pushed);
}

void payload(void)
{
	uint32_t last_id = (uint32_t)param_number("ids", param_number("cpus", 2) - 1);

	n_cpus = smp_find();
	report(n_cpus == param_number("cpus", 2), "%u processors", n_cpus);
	if (n_cpus < 2)
		return;
	report(smp_id(n_cpus - 1) == last_id, "the highest APIC ID is %u", smp_id(n_cpus - 1));
	apic_enable();
	check_fault_in_real_mode();
	check_mode("xapic");
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		report_missing("x2apic: not in CPUID");
		return;
	}
	smp_send(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	apic_enable();
	check_mode("x2apic");
}
