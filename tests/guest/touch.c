/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to memory of every kind, becomes a template if asked, and writes again as a clone, which
 * reverts once.
 *	cow=ADDRESS	private memory over the test image, 64 KiB (none)
 *	rom=ADDRESS	ROM with the test image, 64 KiB (none)
 *	freeze=1	become a template
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	  0x5354
#define CONTROL_N (CONTROL + 12)
#define FREEZE	  1
#define REVERT	  2
#define PAGES	  UINT64_C(4)
#define RAM	  UINT64_C(0x800000)

static volatile uint64_t *word(uint64_t start, uint64_t page)
{
	return (volatile uint64_t *)(start + page * PAGE_SIZE);
}

/* Each page of private memory takes what is written, and keeps the rest. */
static bool write_private(uint64_t start, uint64_t value)
{
	bool right = true;

	for (uint64_t page = 0; page < PAGES; page++)
		*word(start, page) = value + page;
	for (uint64_t page = 0; page < PAGES; page++)
		right &= *word(start, page) == value + page;
	return right;
}

/* ROM does not; an exchange is a step, not a plain store. */
static bool write_rom(uint64_t start)
{
	bool right = true;

	for (uint64_t page = 0; page < 2; page++) {
		uint64_t value = 1;

		asm volatile("xchg %0, %1" : "+r"(value), "+m"(*word(start, page)));
		right &= value == PATTERN(page * PAGE_SIZE);
		right &= *word(start, page) == PATTERN(page * PAGE_SIZE);
	}
	return right;
}

static bool write_all(uint64_t value)
{
	uint64_t cow = param_number("cow", 0), rom = param_number("rom", 0);
	bool right = write_private(RAM, value);

	if (cow != 0)
		right &= write_private(cow, value) &&
			 *word(cow, PAGES) == PATTERN(PAGES * PAGE_SIZE);
	return right && (rom == 0 || write_rom(rom));
}

void payload(void)
{
	bool right = write_all(1000);
	uint32_t number;

	if (param_number("freeze", 0)) {
		outl(FREEZE, CONTROL);
		number = inl(CONTROL);
		report(number != UINT32_MAX, "frozen");
		right &= write_all(2000 + number);
		if (number != UINT32_MAX && inl(CONTROL_N) == 0)
			outl(REVERT, CONTROL);
	}
	report(right, "memory is as written");
}
