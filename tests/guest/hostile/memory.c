/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of every kind, as the end-to-end test gives it to this guest; edges between two kinds. */
#include "tests/guest/hostile/hostile.h"

#define MIB	UINT64_C(0x100000)
#define DIMMS	UINT64_C(0x100000000)
#define N_PAGES 256 /* of each area */
#define LAPIC	APIC_PAGE
#define IOAPIC	UINT64_C(0xfec00000)

/* Page tables in ROM: the end-to-end test makes them. They map the start of each actor's private
 * area. */
#define N_ROM_TABLES 16
#define ROM_TABLES   (DIMMS + 16 * MIB + MIB)

/* One area for each actor, so that none of them changes what another one runs. */
static uint64_t area(const struct actor *a, uint64_t start)
{
	return start + a->cpu * MIB;
}

static uint64_t nowhere(struct actor *a)
{
	static const uint64_t holes[] = {0xa0000,     0xd0000000,  0xfed00000,	0xfffff000,
					 0x140000000, 0x1fffff000, 0x7ffffff000};

	return random_of_list(&a->random, holes);
}

uint64_t kind_page(struct actor *a, enum kind kind)
{
	uint64_t page = random_below(&a->random, N_PAGES) * PAGE_SIZE;

	switch (kind) {
	case KIND_PRIVATE:
		return area(a, 8 * MIB) + page % (N_PAGES / 8 * PAGE_SIZE);
	case KIND_UNTOUCHED:
		return area(a, 12 * MIB) + page;
	case KIND_ROM:
		return DIMMS + 16 * MIB + page;
	case KIND_COW:
		return area(a, DIMMS + 32 * MIB) + page;
	case KIND_SHARED:
		return area(a, DIMMS + 48 * MIB) + page;
	case KIND_LAPIC:
		return LAPIC;
	case KIND_IOAPIC:
		return IOAPIC;
	default:
		return nowhere(a);
	}
}

uint64_t kind_address(struct actor *a, unsigned n)
{
	uint64_t page = kind_page(a, (enum kind)random_below(&a->random, n));
	uint64_t off = random_below(&a->random, 64);

	return random_once_in(&a->random, 2) ? page + PAGE_SIZE - off : page + off * 8;
}

/* Code from where there is no memory would end the VM. */
static uint64_t fetch_bit(enum kind kind)
{
	return kind >= KIND_NONE ? PTE_NX : 0;
}

static void map_random(struct actor *a, unsigned page, unsigned n, uint64_t bits)
{
	enum kind kind = (enum kind)random_below(&a->random, n);
	uint64_t pte = kind_page(a, kind) | PTE_P | bits | fetch_bit(kind);

	if (!random_once_in(&a->random, 8))
		pte |= PTE_W;
	if (random_once_in(&a->random, 16))
		pte &= ~PTE_P;
	actor_map(a, page, pte);
}

uint64_t kind_edge(struct actor *a, unsigned n, uint64_t bits)
{
	unsigned page = (unsigned)random_below(&a->random, 255) * 2;

	map_random(a, page, n, bits);
	map_random(a, page + 1, n, bits);
	return WINDOW + (page + 1) * PAGE_SIZE;
}

/* Parts of ROM, as many words as an action's instructions: see check_rom(). */
#define ROM_WORDS   UINT64_C(40960)
#define N_ROM_PARTS (MIB / 8 / ROM_WORDS)
#define ROM_LENGTH  UINT64_C(6)

uint64_t check_rom(struct actor *a)
{
	uint64_t offset = random_below(&a->random, N_ROM_PARTS) * ROM_WORDS * 8;
	const uint64_t *at = (const uint64_t *)(DIMMS + 16 * MIB + offset), *end = at + ROM_WORDS;
	uint64_t expected = PATTERN(offset);

	asm volatile("1:	cmp %1, (%0)\n\t"
		     "jne 2f\n\t"
		     "add $8, %1\n\t"
		     "add $8, %0\n\t"
		     "cmp %2, %0\n\t"
		     "jb 1b\n"
		     "2:"
		     : "+r"(at), "+r"(expected)
		     : "r"(end)
		     : "memory", "cc");
	if (at == end)
		return ROM_WORDS * ROM_LENGTH;
	print("hostile: FAIL: ROM at %#lx has changed\n", (uint64_t)(uintptr_t)at);
	exit_vm(1);
}

void registers_fill(struct actor *a, struct registers *ret)
{
	uint64_t *r = &ret->rax;

	for (unsigned i = 0; i < 15; i++)
		r[i] = random_value(&a->random);
	ret->rflags = (random_next(&a->random) & 0x40cd5) | 2;
	if (random_once_in(&a->random, 16))
		ret->rflags |= RFLAGS_TF;
	if (random_once_in(&a->random, 2))
		ret->rflags |= RFLAGS_IF;
}

/* ---- page tables in memory of every kind ---- */

#define PTE_FLAGS UINT64_C(0xfff0000000000fff)
#define N_ENTRIES 64

/* Entries without A and D, and sometimes entries that no processor would like. */
static void fill_table(struct actor *a, uint64_t *entries)
{
	for (unsigned i = 0; i < N_ENTRIES; i += 1 + (unsigned)random_below(&a->random, 3)) {
		uint64_t pte = kind_page(a, (enum kind)random_below(&a->random, N_MEMORY)) | PTE_P;

		if (!random_once_in(&a->random, 4))
			pte |= PTE_W;
		if (random_once_in(&a->random, 8))
			pte ^= random_value(&a->random) & (PTE_RESERVED | PTE_FLAGS);
		entries[i] = pte;
	}
}

static void use_walk(struct actor *a)
{
	uint64_t at = WALKS + random_below(&a->random, N_ENTRIES) * PAGE_SIZE - 8;

	switch (random_below(&a->random, 4)) {
	case 0:
		(void)*(volatile uint64_t *)at;
		break;
	case 1:
		*(volatile uint64_t *)(at + random_below(&a->random, 16)) = at;
		break;
	case 2:
		memset((void *)at, 0xc3, 16);
		run_code((const void *)(at + 8), &(struct registers){.rflags = 2});
		break;
	default:
		memcpy((void *)at,
		       (const void *)(WALKS + random_below(&a->random, N_ENTRIES) * PAGE_SIZE), 64);
	}
}

/*
 * A table in ROM, where A and D cannot be set, in COW and in shared memory, or in a page that is
 * still to be copied. The pattern of the image in ROM holds no present entry except in its second
 * half.
 */
void do_walks(struct actor *a)
{
	enum kind kind = (enum kind)random_below(&a->random, N_MEMORY);
	uint64_t table = kind_page(a, kind);

	if (kind == KIND_ROM)
		table = ROM_TABLES + random_below(&a->random, N_ROM_TABLES) * PAGE_SIZE;
	else
		fill_table(a, (uint64_t *)table);
	a->pd[WALKS_ENTRY] = table | PTE_P | PTE_W | PTE_U;
	write_cr3(read_cr3());
	for (unsigned i = 0; i < 10; i++)
		use_walk(a);
}
