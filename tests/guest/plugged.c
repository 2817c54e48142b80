/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows the slots for DIMMs: looks at what the operator adds, writes to it, and gives it up when
 * it is asked to, ejects= times (1). Ends when the last one is gone from its address space.
 */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40
#define TICKS	     100000

#define SLOTS	  0xa00
#define SLOT_LEN  (SLOTS + 8)
#define SLOT_NODE (SLOTS + 16)
#define FLAGS	  (SLOTS + 20)
#define ENABLED	  1
#define INSERTED  2
#define REMOVES	  4
#define EJECT	  8
#define N_SLOTS	  2

static uint64_t read64(uint16_t port)
{
	return inl(port) | (uint64_t)inl(port + 4) << 32;
}

static volatile uint64_t *dimm_start(void)
{
	return (volatile uint64_t *)read64(SLOTS);
}

/* The first word of each page, with other values each time, and the last word of all. */
static bool write_all(volatile uint64_t *at, uint64_t len)
{
	static uint64_t n;
	bool right = true;

	n++;
	for (uint64_t i = 0; i < len / 8; i += PAGE_SIZE / 8)
		at[i] = i + n;
	at[len / 8 - 1] = n;
	for (uint64_t i = 0; i < len / 8; i += PAGE_SIZE / 8)
		right &= at[i] == i + n;
	return right && at[len / 8 - 1] == n;
}

static void look(unsigned slot)
{
	volatile uint64_t *at = dimm_start();
	uint64_t len = read64(SLOT_LEN), first = *at;

	outb(INSERTED, FLAGS);
	print("plugged: slot %u: %lu KiB at %lx, node %u, begins with %lx\n", slot, len / 1024,
	      (uint64_t)at, inl(SLOT_NODE), first);
	print("plugged: slot %u: %s\n", slot,
	      write_all(at, len) ? "takes what is written" : "cannot be written");
}

static void give_up(unsigned slot)
{
	volatile uint64_t *at = dimm_start();

	outb(REMOVES, FLAGS);
	outb(EJECT, FLAGS);
	report(inb(FLAGS) == 0, "slot %u is empty", slot);
	while (*at != UINT64_MAX)
		cpu_pause();
	print("plugged: slot %u: gone\n", slot);
}

static void wait(void)
{
	apic_write(APIC_TIMER_INITIAL, TICKS);
	asm volatile("sti; hlt; cli" : : : "memory");
}

void payload(void)
{
	uint64_t n_left = param_number("ejects", 1);

	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	outl(N_SLOTS, SLOTS);
	report(inl(SLOT_LEN) == 0 && inb(FLAGS) == 0, "there are %u slots", N_SLOTS);
	for (unsigned slot = 0; n_left > 0; slot = (slot + 1) % N_SLOTS) {
		outl(slot, SLOTS);
		if (inb(FLAGS) & INSERTED)
			look(slot);
		if (inb(FLAGS) & REMOVES) {
			give_up(slot);
			n_left--;
		}
		wait();
	}
}
