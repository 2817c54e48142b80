/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of sandboxes: the guest prepares and becomes a template, and each clone does one job of a
 * list, by its number. Three of the jobs misbehave.
 */
#include "tests/guest/lib/lib.h"

#define CONTROL 0x5354 /* docs/guest-interface.md */
#define FREEZE	1

static void work(void)
{
	uint64_t sum = 0;

	for (uint64_t i = 1; i <= 100000; i++)
		sum += i;
	print("the sum is %lu\n", sum);
}

/* Writes to all of its memory. */
static void eat(void)
{
	for (uint64_t at = PAGE_SIZE * 2048; at < ram_top(); at += PAGE_SIZE)
		*(volatile uint64_t *)at = at;
	print("has written to all of its memory\n");
}

static void hang(void)
{
	for (;;)
		cpu_pause();
}

/* Without a table of interrupt handlers, any exception is a triple fault. */
static void crash(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	asm volatile("lidt %0; ud2" : : "m"(none));
}

void payload(void)
{
	static void (*const jobs[])(void) = {work, eat, hang, crash};
	uint32_t number;

	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	if (number < sizeof(jobs) / sizeof(jobs[0]))
		jobs[number]();
	else
		work();
	exit_vm(0);
}
