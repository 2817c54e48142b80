/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes words to places all over its memory, up to its last page, and becomes a template. Its
 * clones find them, and write their own; each reverts once.
 *	depth=D  clones freeze again until generation D (1)
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	   0x5354
#define CONTROL_N  (CONTROL + 12)
#define FREEZE	   1
#define REVERT	   2
#define MIB(n)	   ((uint64_t)(n) << 20)
#define GIB(n)	   ((uint64_t)(n) << 30)
#define PLACES_MAX 32

static uint64_t places[PLACES_MAX], n_places;
/* What each generation leaves for the next. */
static uint32_t generation, lineage[8];

/* The first address above all memory, by the loader's map. */
static uint64_t memory_end(void)
{
	const struct multiboot_info *mb = multiboot();
	uint64_t end = 0, at = mb ? mb->mmap_addr : 0;

	while (mb && at < mb->mmap_addr + (uint64_t)mb->mmap_length) {
		const struct multiboot_mmap *entry = (const struct multiboot_mmap *)at;

		if (entry->type == 1 && entry->base + entry->length > end)
			end = entry->base + entry->length;
		at += entry->size + sizeof(entry->size);
	}
	return end;
}

/* Two places that only differ above bit 31 show where an address is cut. */
static void find_places(uint64_t end)
{
	places[n_places++] = MIB(64);
	places[n_places++] = GIB(1) + MIB(64);
	for (uint64_t at = GIB(4); at + GIB(1) < end; at *= 2) {
		places[n_places++] = at + MIB(64);
		places[n_places++] = at + GIB(1);
	}
	places[n_places++] = end - PAGE_SIZE;
}

static volatile uint64_t *word_at(uint64_t address)
{
	window_set(0, address | PTE_P | PTE_W);
	return (volatile uint64_t *)(WINDOW + PAGE_SIZE - sizeof(uint64_t));
}

static uint64_t word_for(uint64_t address)
{
	uint64_t value = address * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (uint32_t i = 0; i < generation; i++)
		value = value * 31 + lineage[i] + 1;
	return value;
}

static void write_words(void)
{
	for (uint64_t i = 0; i < n_places; i++)
		*word_at(places[i]) = word_for(places[i]);
}

/* The page after each place has no word, except after the last one. */
static uint64_t count_wrong(void)
{
	uint64_t n_wrong = 0;

	for (uint64_t i = 0; i < n_places; i++) {
		n_wrong += *word_at(places[i]) != word_for(places[i]);
		if (i < n_places - 1)
			n_wrong += *word_at(places[i] + PAGE_SIZE) != 0;
	}
	return n_wrong;
}

static uint32_t freeze(void)
{
	outl(FREEZE, CONTROL);
	return inl(CONTROL);
}

/* As a clone: what the template has left, then its own words, once more after a revert. */
static uint64_t check_clone(uint32_t number)
{
	uint64_t n_wrong = count_wrong();

	lineage[generation++] = number;
	write_words();
	n_wrong += count_wrong();
	if (inl(CONTROL_N) == 0)
		outl(REVERT, CONTROL);
	return n_wrong;
}

void payload(void)
{
	uint64_t depth = param_number("depth", 1), end = memory_end(), n_wrong;
	uint32_t number;

	find_places(end);
	write_words();
	n_wrong = count_wrong();
	print("high: memory ends at %#lx, %lu words\n", end, n_places);
	do {
		number = freeze();
		if (number == UINT32_MAX)
			break;
		n_wrong += check_clone(number);
	} while (generation < depth);
	report(number != UINT32_MAX, "clone %u of generation %u", number, generation);
	report(n_wrong == 0, "all words are right, %lu wrong", n_wrong);
}
