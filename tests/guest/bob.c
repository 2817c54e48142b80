/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second guest of scripts/demo/memory, a few kilobytes instead of a Linux: waits for
 * alice's message in the shared page, then reports what it sees and what it can change.
 * The addresses are those of scripts/demo/memory/stencil.conf.
 */
#include "tests/guest/lib/lib.h"

#define PRIVATE_MEMORY UINT64_C(0x4800000)   /* 72 MiB, in memory that comes from /template.mem */
#define MAILBOX	       UINT64_C(0x100000000) /* the first DIMM */
#define ROM	       UINT64_C(0x100010000) /* the second one */
#define PATIENCE       (UINT64_C(4000) * WAIT_TICKS)
#define TIMER_VECTOR   0x40
#define NAP	       UINT64_C(1000000) /* ticks */

static bool same(uint64_t address, const char *text)
{
	const volatile char *memory = (const volatile char *)address;

	for (size_t i = 0;; i++) {
		if (memory[i] != text[i])
			return false;
		if (text[i] == '\0')
			return true;
	}
}

static void reads(const char *what, uint64_t address, const char *text)
{
	report(same(address, text), "%s reads \"%s\"", what, text);
}

static void write(const char *what, uint64_t address, const char *text)
{
	volatile char *memory = (volatile char *)address;

	print("I write \"%s\" to %s\n", text, what);
	for (size_t i = 0; i == 0 || text[i - 1] != '\0'; i++)
		memory[i] = text[i];
}

/* Halt while waiting: a halted guest costs nothing. */
static void wait_for(uint64_t address, const char *text)
{
	uint64_t start = rdtsc();

	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	while (!same(address, text) && rdtsc() - start < PATIENCE) {
		uint32_t before = irq_count[TIMER_VECTOR];

		apic_write(APIC_TIMER_INITIAL, NAP);
		while (irq_count[TIMER_VECTOR] == before)
			sti_hlt_cli();
	}
}

void payload(void)
{
	print("I am up, and I wait for alice\n");
	wait_for(MAILBOX, "alice has written");
	reads("the shared page", MAILBOX, "alice has written");
	reads("my private memory, from the same file,", PRIVATE_MEMORY, "template");
	write("my private memory", PRIVATE_MEMORY, "bob was here");
	reads("my private memory", PRIVATE_MEMORY, "bob was here");
	reads("the ROM", ROM, "rom");
	write("the ROM", ROM, "bob was here");
	reads("the ROM", ROM, "rom");
}
