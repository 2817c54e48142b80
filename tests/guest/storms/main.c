/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps its processor busy in a way that the hypervisor must interrupt, and never ends:
 *	kind=cpuid	CPUID again and again
 *	kind=outs	REP OUTSB to port 0x80
 *	kind=debug	a watchpoint on the stack of #DB's own delivery (CVE-2015-8104)
 *	kind=align	#AC delivered on a misaligned stack (CVE-2015-5307)
 *	kind=timer	a periodic timer with the shortest period
 *	kind=int	INT on a stack in ROM, at rom=
 *	kind=spin	nothing but a jump, with interrupts disabled
 *	kind=crowd	the same on all processors
 *	kind=work	is the neighbour, and ends: loops= rounds must give sum= within ticks=
 */
#include "tests/guest/lib/lib.h"
#include "tests/guest/lib/smp.h"

#define VECTOR_TIMER  0x50
#define VECTOR_STORM  0x80
#define IST_STORM     1
#define DIAGNOSTIC    0x80
#define DR7_WRITE_8   0x90001u /* DR0: a write of 8 bytes */
#define BURST	      4096
#define CHECKSUM_SEED UINT64_C(0x9e3779b97f4a7c15)

/* storms.asm */
void storm_spin(void);
void storm_int(void);
void storm_align(void);

static uint8_t stack[PAGE_SIZE] __attribute__((aligned(4096)));

static void cpuids(void)
{
	/* Leaf 0 is answered at once, leaf 1 in C. */
	for (;;) {
		(void)cpuid(0, 0);
		(void)cpuid(1, 0);
	}
}

static void outs(void)
{
	for (;;) {
		const uint8_t *from = stack;
		uint64_t count = BURST;

		asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(DIAGNOSTIC) : "memory");
	}
}

static void debug(void)
{
	uint64_t *pushed = (uint64_t *)(stack + PAGE_SIZE) - 1; /* SS */

	trap_set_ist(IST_STORM, (uint64_t)(uintptr_t)(stack + PAGE_SIZE));
	trap_gate(VECTOR_DB, storm_spin, IST_STORM);
	asm volatile("mov %0, %%db0; mov %1, %%db7"
		     :
		     : "r"(pushed), "r"((uint64_t)DR7_WRITE_8)
		     : "memory");
	*(volatile uint64_t *)pushed = 0;
}

static void timer(void)
{
	apic_enable();
	irq_count_on(VECTOR_TIMER);
	apic_write(APIC_LVT_TIMER, (uint32_t)(LVT_PERIODIC | VECTOR_TIMER));
	apic_write(APIC_TIMER_INITIAL, 1);
	asm volatile("sti");
	storm_spin();
}

static void interrupts(void)
{
	trap_set_ist(IST_STORM, param_number("rom", 0) + PAGE_SIZE);
	trap_gate(VECTOR_STORM, storm_int, IST_STORM);
	storm_int();
}

static void work(void)
{
	uint64_t loops = param_number("loops", 0), limit = param_number("ticks", 0);
	uint64_t start = rdtsc(), sum = CHECKSUM_SEED, ticks;

	for (uint64_t i = 0; i < loops; i++)
		sum = (sum << 13 | sum >> 51) * 5 + i;
	ticks = rdtsc() - start;
	report(sum == param_number("sum", 0), "work: %lu rounds, sum %#lx", loops, sum);
	report(ticks <= limit, "work: %lu of at most %lu ticks", ticks, limit);
}

static void spin(unsigned cpu)
{
	(void)cpu;
	storm_spin();
}

static void crowd(void)
{
	(void)smp_find();
	report(smp_start(spin), "crowd: all processors run");
	storm_spin();
}

static const struct {
	const char *kind;
	void (*run)(void);
} storms[] = {
	{"cpuid", cpuids},	{"outs", outs},	  {"debug", debug},
	{"align", storm_align}, {"timer", timer}, {"int", interrupts},
	{"spin", storm_spin},	{"crowd", crowd}, {"work", work},
};

void payload(void)
{
	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		if (!param_is("kind", storms[i].kind))
			continue;
		print("storm: %s\n", storms[i].kind);
		storms[i].run();
		return;
	}
	report(false, "storm: no such kind=");
}
