/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For Eva: for all addresses, lengths, levels and entries, hv/ept/ept.c
 * accesses no word outside a table, shifts by no number too large, and uses
 * nothing uninitialized.
 *
 * There is one frame of 512 words, whose contents are arbitrary at each access,
 * and each physical address leads to it. Tables may thus even contain
 * themselves: the result holds for all contents of memory.
 */
#include "hv/lib/types.h"

/* Replace the compiler's atomics, for one thread: the proofs are not about races. */
#define __atomic_store_n(to, value, order) (*(to) = (value))
#define __atomic_fetch_add(to, n, order)   ((*(to) += (n)) - (n))
#define __atomic_sub_fetch(to, n, order)   (*(to) -= (n))

static uint64_t the_frame[512];

/*
 * The function is recursive: the outermost call is analysed, for any level.
 * Inner calls have the effects stated here.
 */
/*@ assigns the_frame[0 .. 511], *chain, \result \from the_frame[0 .. 511]; */
static uint64_t chain_frames(phys_t frame, unsigned level, phys_t *chain);

#include "hv/ept/ept.c"

volatile int any_int;
volatile uint64_t any;

void *phys_to_virt(phys_t phys)
{
	(void)phys;
	for (unsigned i = 0; i < ENTRIES; i++)
		the_frame[i] = any;
	return the_frame;
}

phys_t virt_to_phys(const void *virt)
{
	(void)virt;
	return any;
}

/* Assume that assertions hold. The unit tests run with assert(). */
void assert_fail(const char *expr, const char *file, int line)
{
	(void)expr;
	(void)file;
	(void)line;
	while (true)
		continue;
}

phys_t frame_alloc(void)
{
	return any;
}

phys_t frame_alloc_zeroed(void)
{
	return any;
}

phys_t frame_alloc_by(const struct frame_policy *policy, uint64_t index)
{
	(void)policy;
	(void)index;
	return any;
}

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	(void)n_frames;
	(void)align;
	return any;
}

bool frame_is_scarce(void)
{
	return any_int != 0;
}

void frame_free(phys_t frame)
{
	(void)frame;
}

void merged_use(void)
{
}

void merged_drop(phys_t frame)
{
	(void)frame;
}

void table_fill(uint64_t *table, uint64_t first, uint64_t step)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = first + i * step;
}

void ept_store(uint64_t *slot, uint64_t entry)
{
	*slot = entry;
}

static struct ept any_ept(void)
{
	struct ept ept = {
		.root = any,
		.top = any,
		.owns_root = any_int != 0,
		.leaf_levels = 1 + (unsigned)any % 3,
		.generation = any,
		.n_owned = any,
		.max_owned = any,
		.retired = any,
		.n_retired = any,
	};

	return ept;
}

static gpa_t any_gpa(void)
{
	return (gpa_t){any};
}

static void change_mappings(struct ept *ept)
{
	uint64_t old;

	(void)ept_map(ept, any_gpa(), any, any, any);
	(void)ept_map_zero(ept, any_gpa(), any);
	(void)ept_override(ept, any_gpa(), any, &old);
}

static void look_up(const struct ept *ept)
{
	unsigned level = 0;

	(void)ept_lookup(ept, any_gpa(), &level);
	//@ assert level_in_range: level <= 3;
	(void)ept_lookup_below(ept, any_gpa(), &level);
	//@ assert level_in_range_below: level <= 3;
}

static void copy_pages(struct ept *ept)
{
	struct frame_policy policy = {0};
	phys_t frame;

	(void)ept_copy(ept, any_gpa(), &frame);
	(void)ept_copy_beside(ept, any_gpa());
	(void)ept_copy_by(ept, any_gpa(), &policy, any, &frame);
	(void)ept_show_zeros(ept, any_gpa());
	ept_fill_around(ept, any_gpa(), any_gpa(), any_gpa());
}

static void merge_pages(struct ept *ept)
{
	gpa_t gpa = any_gpa();
	unsigned budget = (unsigned)any;

	(void)ept_next_own(ept, &gpa, any_gpa(), &budget);
	ept_seal(ept, any_gpa());
	ept_unseal(ept, any_gpa(), any);
	(void)ept_give_back(ept, any_gpa(), any, any);
}

void main(void)
{
	struct ept_layer below = {
		.n_refs = any,
		.root = any,
		.top = any,
		.is_narrow = any_int != 0,
		.leaf_levels = 1,
		.n_owned = any,
		.progress = LAYER_WHOLE,
	};
	struct ept ept = any_ept();
	phys_t chain = any;

	ept.base = any_int ? &below : NULL;
	ept.owns_root |= ept.base == NULL;
	for (unsigned level = 0; level < ARRAY_SIZE(zero_tree); level++)
		zero_tree[level] = any;
	switch (any_int) {
	case 0:
		change_mappings(&ept);
		break;
	case 1:
		look_up(&ept);
		break;
	case 2:
		copy_pages(&ept);
		break;
	case 3:
		merge_pages(&ept);
		break;
	case 4:
		(void)chain_frames(any, (unsigned)any % (EPT_LEVELS + 1), &chain);
		break;
	default:
		(void)ept_setup();
		(void)ept_init(&ept, 1 + (unsigned)any % 3, any);
	}
}
