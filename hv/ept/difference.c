/* SPDX-License-Identifier: BSD-2-Clause */
/* A large page is compared as if it were split, because the other tree may have split it. */
#include "hv/ept/difference.h"

#include "hv/ept/table.h"

/* Whether the entry leads to a table, also to one of hidden memory. */
static bool has_table(uint64_t entry, unsigned level)
{
	return is_table(entry, level) || (entry & EPT_HIDDEN);
}

/* Whether the entry leads to zeros, at any level: that of fresh memory, or a page's. */
static bool is_zeros(uint64_t entry)
{
	return (entry & (EPT_ADDR | EPT_LARGE)) == ept_zero_frame();
}

/* The entry for gpa one level further down. */
static uint64_t step_down(uint64_t entry, unsigned level, gpa_t gpa)
{
	uint64_t page;

	if (is_zeros(entry))
		return entry;
	if (has_table(entry, level))
		return table_of(entry)[index_at(gpa, level - 1)];
	if (!(entry & EPT_LARGE))
		return 0;
	page = entry + index_at(gpa, level - 1) * level_size(level - 1);
	return level == 1 ? page & ~EPT_LARGE : page;
}

/* Whether both lead to the same table or page. */
static bool is_same(uint64_t a, uint64_t b)
{
	return ((a ^ b) & (EPT_ADDR | EPT_LARGE)) == 0;
}

/* Whether the page at gpa is the same; '*ret_level': the size of what is. */
static bool compare(const struct ept *tree, phys_t below, gpa_t gpa, unsigned *ret_level)
{
	unsigned level = ROOT_LEVEL;
	uint64_t a = root_entry(tree->root, tree->top, gpa);
	uint64_t b = below ? table_at(below)[index_at(gpa, level)] : ept_zero_frame();

	while (!is_same(a, b) && (has_table(a, level) || has_table(b, level))) {
		a = step_down(a, level, gpa);
		b = step_down(b, level, gpa);
		level--;
	}
	*ret_level = level;
	return is_same(a, b);
}

gpa_t ept_next_difference(const struct ept *tree, phys_t below, gpa_t gpa, gpa_t end,
			  unsigned *budget)
{
	unsigned level;

	for (; gpa.raw<end.raw && * budget> 0; (*budget)--) {
		if (!compare(tree, below, gpa, &level))
			return gpa;
		gpa.raw = align_down(gpa.raw, level_size(level)) + level_size(level);
	}
	return gpa.raw < end.raw ? gpa : end;
}
