/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations of a clone, each between two marks, at which Bochs begins and ends a trace of its
 * instructions: scripts/bench --events. An XCHG BX, BX does nothing elsewhere.
 *	lives=N  clones make a mark as their first instruction if their number is N / 2 or N; all
 *	         end at once
 *	smp      the clone's first write to each of N_PAGES while its second processor runs
 *	else     by the first clone, in this order: two reads of a port; the first write to
 *	         2 MiB; a revert after this, up to the first instruction; writes to N_PAGES; a
 *	         revert after these
 */
#include "tests/guest/lib/smp.h"

#define CONTROL	   0x5354
#define CONTROL_N  (CONTROL + 12)
#define FREEZE	   1
#define REVERT	   2
#define N_PAGES	   16
#define LARGE_PAGE UINT64_C(0x200000)
#define AREA	   (UINT64_C(12) * LARGE_PAGE) /* beyond the payload; the template has written it */

static volatile bool other_runs;

static void mark(void)
{
	asm volatile("xchgw %%bx, %%bx" : : : "memory");
}

static void write_pages(uint64_t start, uint64_t n_pages)
{
	for (uint64_t i = 0; i < n_pages; i++)
		*(volatile uint64_t *)(start + i * PAGE_SIZE) = i;
}

static uint32_t freeze(void)
{
	outl(FREEZE, CONTROL);
	return inl(CONTROL);
}

/* The mark follows the freeze immediately: a revert ends there. */
static void freeze_and_mark(void)
{
	asm volatile("outl %%eax, %%dx\n\t"
		     "xchgw %%bx, %%bx"
		     :
		     : "a"(FREEZE), "d"(CONTROL)
		     : "memory");
}

static _Noreturn void live(uint64_t n)
{
	uint32_t number = freeze();

	if (number == n / 2 || number == n)
		mark();
	exit_vm(0);
}

/*
 * No PAUSE, which may exit. With interrupts: Bochs 2.7 keeps a processor's masked in a guest that
 * is entered without.
 */
static void run_on([[maybe_unused]] unsigned cpu)
{
	other_runs = true;
	for (;;)
		asm volatile("sti");
}

static void write_beside_another(void)
{
	if (smp_find() != 2 || !smp_start(run_on)) {
		report(false, "a second processor");
		return;
	}
	while (!other_runs)
		;
	(void)freeze();
	other_runs = false; /* a table, and the page of this variable, are copied before */
	write_pages(AREA + LARGE_PAGE - PAGE_SIZE, 1);
	mark();
	write_pages(AREA + PAGE_SIZE, N_PAGES);
	mark();
	report(true, "measured");
}

static void measure(uint32_t n_reverts)
{
	if (n_reverts == 0) {
		mark();
		mark();
		write_pages(AREA, 1);
	} else {
		mark();
		write_pages(AREA, N_PAGES);
	}
	mark();
	mark();
	outl(REVERT, CONTROL);
}

void payload(void)
{
	uint32_t n_reverts;

	write_pages(AREA, LARGE_PAGE / PAGE_SIZE);
	if (param_given("smp")) {
		write_beside_another();
		return;
	}
	if (param_given("lives"))
		live(param_number("lives", 0));
	freeze_and_mark();
	(void)inl(CONTROL);
	n_reverts = inl(CONTROL_N);
	if (n_reverts < 2)
		measure(n_reverts);
	report(true, "measured");
}
