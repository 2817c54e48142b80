/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template. Its clones check the registers of every processor and of devices, change
 * all of them, and revert to the template repeatedly.
 *	cpus=N      the number of processors (1)
 *	reverts=N   how often each clone reverts (3)
 */
#include "tests/guest/lib/smp.h"

#define CONTROL	    0x5354
#define CONTROL_N   (CONTROL + 12)
#define FREEZE	    1
#define REVERT	    2
#define UART_SCR    0x3ff
#define IA32_STAR   0xc0000081u
#define IA32_GSBASE 0xc0000102u /* IA32_KERNEL_GS_BASE */
#define IA32_FSBASE 0xc0000100u
#define CR4_FXSR    BIT(9)
#define N_PAGES	    8
#define TEMPLATES   UINT64_C(0x1000)
#define CLONES	    UINT64_C(0x2000)

static volatile uint64_t pages[N_PAGES][PAGE_SIZE / 8] __attribute__((aligned(4096)));
static volatile uint32_t go, ready[SMP_MAX], done[SMP_MAX], right[SMP_MAX];

static void set_registers(uint64_t value)
{
	asm volatile("movq %0, %%xmm3; mov %0, %%db1; mov %0, %%cr2" : : "r"(value) : "memory");
	wrmsr(IA32_STAR, value << 32);
	wrmsr(IA32_GSBASE, value);
	wrmsr(IA32_FSBASE, value + 1);
}

static bool has_registers(uint64_t value)
{
	uint64_t xmm, db1, cr2;

	asm volatile("movq %%xmm3, %0; mov %%db1, %1; mov %%cr2, %2"
		     : "=r"(xmm), "=r"(db1), "=r"(cr2)
		     :
		     : "memory");
	return xmm == value && db1 == value && cr2 == value && rdmsr(IA32_STAR) == value << 32 &&
	       rdmsr(IA32_GSBASE) == value && rdmsr(IA32_FSBASE) == value + 1;
}

static void switch_sse_on(void)
{
	uint64_t cr4;

	asm volatile("mov %%cr4, %0; or %1, %0; mov %0, %%cr4" : "=&r"(cr4) : "r"(CR4_FXSR));
}

/* Runs until the clone reverts, which puts the processor back into the first loop. */
static void work(unsigned cpu)
{
	switch_sse_on();
	set_registers(TEMPLATES + cpu);
	ready[cpu] = 1;
	while (!go)
		cpu_pause();
	right[cpu] = has_registers(TEMPLATES + cpu);
	set_registers(CLONES + cpu);
	done[cpu] = 1;
	for (;;)
		cpu_pause();
}

static bool wait_for(volatile uint32_t *flags, unsigned n)
{
	uint64_t start = rdtsc();
	unsigned cpu = 1;

	while (cpu < n && rdtsc() - start < WAIT_TICKS)
		if (flags[cpu])
			cpu++;
		else
			cpu_pause();
	return cpu == n;
}

static bool memory_is(uint64_t value)
{
	bool is = true;

	for (unsigned i = 0; i < N_PAGES; i++)
		is &= pages[i][i] == value + i;
	return is;
}

static void write_memory(uint64_t value)
{
	for (unsigned i = 0; i < N_PAGES; i++)
		pages[i][i] = value + i;
}

static void set_up(unsigned n)
{
	switch_sse_on();
	if (n > 1)
		report(smp_find() == n && smp_start(work) && wait_for(ready, n), "%u processors",
		       n);
	set_registers(TEMPLATES);
	write_memory(TEMPLATES);
	outb(0x5a, UART_SCR);
	apic_write(APIC_TPR, 0x20);
}

/* In a clone: check that everything is the template's, then change all of it. */
static bool check_and_change(unsigned n)
{
	bool is_right = has_registers(TEMPLATES) && memory_is(TEMPLATES) && inb(UART_SCR) == 0x5a &&
			apic_read(APIC_TPR) == 0x20;

	go = 1;
	is_right &= wait_for(done, n);
	for (unsigned cpu = 1; cpu < n; cpu++)
		is_right &= right[cpu];
	set_registers(CLONES);
	write_memory(CLONES);
	outb(0xa5, UART_SCR);
	apic_write(APIC_TPR, 0x30);
	return is_right;
}

void payload(void)
{
	unsigned n = (unsigned)param_number("cpus", 1);
	uint32_t number, n_reverts;

	set_up(n);
	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	n_reverts = inl(CONTROL_N);
	/* Count outside memory: the revert would reset a count in memory. */
	if (number == UINT32_MAX || !check_and_change(n))
		report(false, "clone %u is as its template after %u reverts", number, n_reverts);
	else if (n_reverts < param_number("reverts", 3))
		outl(REVERT, CONTROL);
	else
		report(true, "clone %u went back %u times", number, n_reverts);
}
