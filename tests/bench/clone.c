/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the cost of clones and reverts in TSC ticks: lines "bench NAME SAMPLE". A clone
 * measures the time from its request to its first instruction.
 *	name=    of the samples (clone)
 *	dirty=N  pages of memory that the template writes before it freezes (0): its size
 *	revert   the clone reverts N_SAMPLES times without having written a page, and as often
 *	         after writing N_PAGES: reset_base, reset_pages. It prints each of them after
 *	         the revert, and then reverts once more, so that no sample pays for the output
 *	read=N   the clone reads N of those pages and measures nothing: its number of exits is
 *	         the result, so all its output has the same length
 *	life=N   the clone ends at once; those with the numbers N / 2 and N print the TSC before
 *	park     the clone writes to one page, prints "ran" without using memory, and halts
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	    0x5354
#define CONTROL_AT  (CONTROL + 8)
#define CONTROL_N   (CONTROL + 12)
#define FREEZE	    1
#define REVERT	    2
#define N_SAMPLES   31
#define N_PAGES	    16
#define UART	    0x3f8
#define DIRTY_START UINT64_C(0x1000000)

static volatile uint8_t pages[N_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));

/* The answers, and the time since their request. */
static uint32_t freeze(uint32_t *ret_ticks)
{
	uint32_t number, at, low, high;

	asm volatile("outl %%eax, %%dx\n\t"
		     "rdtsc"
		     : "=a"(low), "=d"(high)
		     : "a"(FREEZE), "d"(CONTROL)
		     : "memory");
	number = inl(CONTROL);
	at = inl(CONTROL_AT);
	*ret_ticks = low - at;
	return number;
}

/* Resumes after the freeze, with the count incremented. */
static void go_back(uint32_t n_pages)
{
	for (uint32_t i = 0; i < n_pages; i++)
		pages[i][0] = 1;
	outl(REVERT, CONTROL);
}

static void measure_reverts(uint32_t ticks)
{
	uint32_t n = inl(CONTROL_N), sample = n / 2;

	if (n % 2 != 0)
		print("bench %s %u\n", sample < N_SAMPLES ? "reset_base" : "reset_pages", ticks);
	if (sample < 2 * N_SAMPLES)
		go_back(sample < N_SAMPLES ? 0 : N_PAGES);
}

static _Noreturn void park(void)
{
	pages[0][0] = 1;
	for (const char *text = "ran\n"; *text; text++)
		outb((uint8_t)*text, UART);
	for (;;)
		sti_hlt_cli();
}

static _Noreturn void live(uint32_t number, uint64_t n)
{
	if (number == n / 2 || number == n)
		print("clone %u lives at %lu\n", number, (uint64_t)__builtin_ia32_rdtsc());
	exit_vm(0);
}

static bool read_pages(uint64_t n_pages)
{
	bool same = true;

	for (uint64_t i = 0; i < n_pages; i++)
		same &= *(volatile uint64_t *)(DIRTY_START + i * PAGE_SIZE) == i;
	return same;
}

void payload(void)
{
	uint64_t dirty = param_number("dirty", 0);
	char name[32] = "clone";
	bool parks = param_given("park");
	uint32_t ticks, number;

	line_param(command_line(), "name", name, sizeof(name));
	for (uint64_t i = 0; i < dirty; i++)
		*(volatile uint64_t *)(DIRTY_START + i * PAGE_SIZE) = i;
	number = freeze(&ticks);
	if (number == UINT32_MAX) {
		report(false, "frozen");
		return;
	}
	if (parks)
		park();
	if (param_given("life"))
		live(number, param_number("life", 0));
	if (param_given("read")) {
		report(read_pages(param_number("read", 0)), "read");
		return;
	}
	if (param_given("revert"))
		measure_reverts(ticks);
	else
		print("bench %s %u\n", name, ticks);
	report(true, "measured");
}
