/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends a step over a write to ROM besides the end of its instruction: a fault that the
 * instruction raises after the write, and, while NMIs are blocked, a slice. A guest sees ROM
 * unchanged from the first instruction of its handler on.
 */
#include "tests/guest/region/region.h"

#define VECTOR_NMI 2
#define NMI_TO_ALL 0x84400u
#define ROM_PAGE   (WINDOW + PAGE_SIZE)
#define NEW_VALUE  UINT64_C(0x57e9)
#define BACK_TICKS (WAIT_TICKS / 4) /* many slices */

static volatile uint64_t *word; /* of the region, the last in a page of the window */
static uint64_t old, flags, rcx;
static unsigned n_events;
static bool was_back;

static bool is_back(void)
{
	return !region_drops() || *word == old;
}

static bool on_fault(struct trap_frame *f)
{
	n_events++;
	was_back = is_back();
	flags = f->rflags;
	rcx = f->rcx;
	return false; /* and to catch_fault() */
}

/* Eight bytes, of which the last seven are in the page that is missing. */
static void store_across(void *to)
{
	asm volatile("mov %1, (%0)"
		     :
		     : "r"((uint64_t)(uintptr_t)to + 7), "r"(NEW_VALUE)
		     : "memory");
}

/* Sixteen bytes, by an instruction that Stencil does not execute itself. */
static void store_vector_across(void *to)
{
	asm volatile("movups %%xmm0, (%0)" : : "r"(to) : "memory");
}

/* Sixteen bytes from the word on: the ninth faults. */
static void store_string(void *to)
{
	uint64_t count = 16;

	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0x5a) : "memory");
}

static void read_word(void *from)
{
	(void)*(volatile uint64_t *)from;
}

static void check_fault(const char *what, void (*store)(void *), uint64_t rcx_wanted)
{
	int vector;

	old = *word;
	n_events = 0;
	trap_hook(VECTOR_PF, on_fault);
	vector = catch_fault(store, (void *)word);
	trap_hook(VECTOR_PF, NULL);
	report(vector == VECTOR_PF && n_events == 1 && !(flags & RFLAGS_TF) && was_back &&
		       is_back() && (rcx_wanted == 0 || rcx == rcx_wanted),
	       "steps: %s into a missing page: vector %d, flags %#lx, rcx %lu", what, vector, flags,
	       rcx);
}

/* Nothing in this handler exits. The host's interrupts reach a guest in Bochs only with RFLAGS.IF.
 */
static bool on_nmi(struct trap_frame *f)
{
	uint64_t start = rdtsc();

	(void)f;
	n_events++;
	*word = NEW_VALUE;
	while (!is_back() && rdtsc() - start < BACK_TICKS)
		;
	was_back = is_back();
	return true;
}

static void check_handler_of_nmi(void)
{
	old = *word;
	n_events = 0;
	trap_hook(VECTOR_NMI, on_nmi);
	apic_write(APIC_ICR, NMI_TO_ALL);
	trap_hook(VECTOR_NMI, NULL);
	report(n_events == 1 && was_back, "steps: a store in an NMI's handler: %u events",
	       n_events);
}

/* Send an NMI with this stack; returns the word where the processor has pushed RIP. */
static uint64_t nmi_on(volatile uint64_t *stack)
{
	uint64_t pushed;

	asm volatile("mov %%rsp, %%r15\n\t"
		     "lea 2f(%%rip), %%rdx\n\t"
		     "mov %1, %%rsp\n\t"
		     "movl %2, (%%rcx)\n"
		     "1:\tpause\n\t"
		     "jmp 1b\n"
		     ".global steps_nmi_landing\n"
		     "steps_nmi_landing:\n\t"
		     "mov (%%rsp), %0\n\t"
		     "mov %%r15, %%rsp\n\t"
		     "push $0x10\n\t" /* IRET ends the blocking of NMIs */
		     "push %%r15\n\t"
		     "pushfq\n\t"
		     "push $8\n\t"
		     "push %%rdx\n\t"
		     "iretq\n"
		     "2:"
		     : "=&a"(pushed)
		     : "r"(stack), "i"(NMI_TO_ALL), "c"(APIC_PAGE + APIC_ICR)
		     : "rdx", "r15", "memory", "cc");
	return pushed;
}

static void check_stack_of_nmi(void)
{
	extern const uint8_t steps_nmi_landing[];
	volatile uint64_t *stack = word - 1, *rip = stack - 5;
	uint64_t image = *rip;

	trap_gate(VECTOR_NMI, steps_nmi_landing, 0);
	report(nmi_on(stack) == image && *rip == image, "steps: an NMI with its stack in ROM");
	trap_gate(VECTOR_NMI, NULL, 0);
}

static void read_vector(void *from)
{
	asm volatile("movups (%0), %%xmm0" : : "r"(from) : "memory");
}

static void output(void *from)
{
	asm volatile("outsb" : "+S"(from) : "d"(0x3ff));
}

/* Entries of ones have reserved bits set. */
static void check_walk(const char *what, void (*access)(void *))
{
	enum { SLOT = 1, PRESENT_RESERVED = 9 };
	int vector;

	pml4_set(SLOT, region.base | PTE_P | PTE_W);
	vector = catch_fault(access, (void *)((uint64_t)SLOT << 39));
	pml4_set(SLOT, 0);
	report(vector == VECTOR_PF && last_fault.error == PRESENT_RESERVED,
	       "steps: %s by page tables that are not there: vector %d, error %#lx", what, vector,
	       last_fault.error);
}

void steps_check(void)
{
	apic_enable();
	window_set(1, (region.base + region.work) | PTE_P | PTE_W);
	window_set(2, 0);
	word = (volatile uint64_t *)(ROM_PAGE + PAGE_SIZE - 8);
	check_fault("a store", store_across, 0);
	check_fault("a vector's store", store_vector_across, 0);
	check_fault("rep stosb", store_string, 8);
	if (region.expect == EXPECT_ABSENT) {
		check_walk("a load", read_word);
		check_walk("a vector's load", read_vector);
		check_walk("outsb", output);
	}
	if (!param_given("nmi"))
		return;
	check_handler_of_nmi();
	if (region.expect == EXPECT_ROM)
		check_stack_of_nmi();
}
