/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events delivered on a stack whose page is untouched: the hypervisor must provide or copy
 * the page during the delivery, and the event must still arrive exactly once.
 * The pages are those of base= and size=, otherwise RAM starting at 16 MiB.
 */
#include "tests/guest/exits/exits.h"

#define ROUNDS	   8
#define RAM_STACKS UINT64_C(0x1000000)
#define NON_CANON  UINT64_C(0x8000000000000000)
#define IRQ_VECTOR 0x47

static volatile unsigned n_events;
static volatile uint64_t frame_at;
static unsigned skip; /* bytes of the instruction that faults */

static bool on_event(struct trap_frame *f)
{
	n_events++;
	frame_at = (uint64_t)(uintptr_t)f;
	f->rip += skip;
	if (f->vector == IRQ_VECTOR)
		apic_write(APIC_EOI, 0);
	return true;
}

#define TRIGGER(name, text) \
	static void name(uint64_t stack) \
	{ \
		asm volatile("mov %%rsp, %%r15; mov %0, %%rsp; " text "; mov %%r15, %%rsp" \
			     : \
			     : "D"(stack), "a"(NON_CANON), "b"(WINDOW), "c"(0), "d"(0) \
			     : "r15", "memory", "cc"); \
	}
TRIGGER(by_int3, "int3")
TRIGGER(by_int, "int $0x80")
TRIGGER(by_ud, "ud2")
TRIGGER(by_gp, "mov (%%rax), %%rax")
TRIGGER(by_pf, "mov (%%rbx), %%rbx")
TRIGGER(by_de, "div %%ecx")
TRIGGER(by_irq, "sti; hlt; cli")
#undef TRIGGER

static const struct {
	const char *name;
	void (*trigger)(uint64_t stack);
	uint8_t vector, skip;
} events[] = {
	{"INT3", by_int3, VECTOR_BP, 0},      {"INT n", by_int, 0x80, 0},
	{"#UD", by_ud, VECTOR_UD, 2},	      {"#GP", by_gp, VECTOR_GP, 3},
	{"#PF", by_pf, VECTOR_PF, 3},	      {"#DE", by_de, VECTOR_DE, 2},
	{"interrupt", by_irq, IRQ_VECTOR, 0},
};
#define N_EVENTS (sizeof(events) / sizeof(events[0]))

/* The stack starts in one fresh page; or 16 bytes into one, so that two are needed. */
static unsigned count_wrong(size_t event, uint64_t pages)
{
	unsigned n_wrong = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t stack = pages + (2 * round + 1) * PAGE_SIZE + (round % 2) * 16;

		n_events = 0;
		skip = events[event].skip;
		if (events[event].vector == IRQ_VECTOR)
			apic_self_ipi(IRQ_VECTOR);
		events[event].trigger(stack);
		n_wrong += n_events != 1 || frame_at + sizeof(struct trap_frame) != stack;
	}
	return n_wrong;
}

void stack_check(void)
{
	uint64_t needed = N_EVENTS * ROUNDS * 2 * PAGE_SIZE;
	uint64_t base = param_number("base", RAM_STACKS);
	uint64_t size = param_number("size", ram_top() - RAM_STACKS);

	if (size < needed) {
		report_missing("stack: %lu bytes of memory needed", needed);
		return;
	}
	apic_enable();
	for (size_t i = 0; i < N_EVENTS; i++) {
		unsigned n_wrong;

		trap_hook(events[i].vector, on_event);
		n_wrong = count_wrong(i, base + i * ROUNDS * 2 * PAGE_SIZE);
		trap_hook(events[i].vector, NULL);
		report(n_wrong == 0, "stack: %s on a fresh page: %u of %u wrong", events[i].name,
		       n_wrong, ROUNDS);
	}
}
