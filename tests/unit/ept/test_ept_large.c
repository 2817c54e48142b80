/* SPDX-License-Identifier: BSD-2-Clause */
/* Large pages of a tree's own. */
#include "hv/ept/ept.h"

#include <string.h>

#include "hv/ept/difference.h"
#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

/* An image, whose second page is also mapped as if the image began there; then four blocks. */
#define IMAGE	 MIB(2)
#define FRAMES	 MIB(8)
#define N_BLOCKS 4
#define N_FRAMES (N_BLOCKS * FRAME_BLOCK)
#define RX	 (EPT_R | EPT_X | EPT_TYPE(6))
#define RWX	 (RX | EPT_W)
#define GPA	 GIB(1)

static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
static struct ept ept;

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static uint64_t *words(phys_t phys)
{
	return phys_to_virt(phys);
}

static int setup(void **state)
{
	frame_reset();
	merged_reset();
	frame_poison = true;
	phys_arena(IMAGE, FRAMES - IMAGE + MIB(2) + N_FRAMES * PAGE_SIZE);
	for (uint64_t i = 0; i < MIB(4) / 8; i++)
		words(IMAGE)[i] = i;
	/* The frames for tables come first, so that the blocks stay whole. */
	frame_add_range(FRAMES + PAGE_SIZE, 64 * PAGE_SIZE);
	frame_add_range(FRAMES + MIB(2), N_FRAMES * PAGE_SIZE);
	if (ept_setup() != OK)
		return -1;
	return ept_init(&ept, 2, EPT_UNLIMITED) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	check_tree(&ept);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), frame_total() - EPT_ZERO_LEVELS);
	return 0;
}

static uint64_t entry_at(const struct ept *tree, uint64_t gpa, unsigned *ret_level)
{
	return ept_lookup(tree, at(gpa), ret_level);
}

static phys_t frame_at(const struct ept *tree, uint64_t gpa)
{
	unsigned level;
	uint64_t entry = entry_at(tree, gpa, &level);

	return ept_frame_at(entry, level, at(gpa));
}

static unsigned level_at(const struct ept *tree, uint64_t gpa)
{
	unsigned level;

	(void)entry_at(tree, gpa, &level);
	return level;
}

static phys_t copy(struct ept *tree, uint64_t gpa)
{
	phys_t frame = 0;

	assert_int_equal(ept_copy(tree, at(gpa), &frame), OK);
	return frame;
}

/* Make the 2 MiB at gpa one page. Returns the block. */
static phys_t populate(uint64_t gpa)
{
	phys_t block = frame_alloc_block_by(&anywhere, 0);
	uint64_t *entry = NULL;

	assert_int_not_equal(block, 0);
	assert_int_equal(ept_populate_large_begin(&ept, at(gpa), &entry), OK);
	assert_non_null(entry);
	ept_populate_large(entry, block);
	ept_populate_large_end(&ept, entry, block);
	return block;
}

/* Of anonymous memory. */
static phys_t populate_zeros(void)
{
	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(4)), OK);
	return populate(GPA);
}

static void it_takes_a_block_and_no_table(void **state)
{
	uint64_t n_owned, generation;
	phys_t block;

	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(4)), OK);
	n_owned = ept.n_owned;
	generation = ept.generation;
	block = populate(GPA);
	assert_int_equal(ept.n_owned, n_owned + FRAME_BLOCK);
	assert_true(ept.generation > generation);
	assert_int_equal(level_at(&ept, GPA), 1);
	for (unsigned i = 0; i < MIB(2) / 8; i++)
		assert_int_equal(words(block)[i], 0);
	/* It can be written: nothing is copied or split. */
	assert_int_equal(copy(&ept, GPA + MIB(1) + 123), block + MIB(1));
	assert_int_equal(level_at(&ept, GPA), 1);
	assert_int_equal(ept.n_owned, n_owned + FRAME_BLOCK);
	assert_int_equal(level_at(&ept, GPA + MIB(2)), 0); /* fresh */
	check_tree(&ept);
}

/* As one page of the image, by small pages of it, and with pages that were copied before. */
static void its_bytes_are_those_of_the_pages_before(void **state)
{
	for (unsigned round = 0; round < 3; round++) {
		phys_t from = IMAGE + (round > 0 ? PAGE_SIZE : 0), block;
		uint64_t n_owned;

		assert_int_equal(ept_map(&ept, at(GPA), from, MIB(2), RX), OK);
		if (round == 2)
			words(copy(&ept, GPA + 5 * PAGE_SIZE))[7] = 4711;
		n_owned = ept.n_owned;
		block = populate(GPA);
		for (unsigned i = 0; i < MIB(2) / 8; i++)
			if (round < 2 || i != 5 * 512 + 7)
				assert_int_equal(words(block)[i], words(from)[i]);
		assert_true(round < 2 || words(block)[5 * 512 + 7] == 4711);
		check_tree(&ept);
		/* The table and the copied page go. */
		ept_reclaim(&ept);
		assert_int_equal(ept.n_owned, n_owned + FRAME_BLOCK - (round > 0) - (round > 1));
		assert_int_equal(ept_map(&ept, at(GPA), 0, MIB(2), 0), OK);
		ept_reclaim(&ept);
	}
}

static void zeros_that_are_shown_and_merged_pages_are_bytes_like_others(void **state)
{
	phys_t block;

	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(4)), OK);
	assert_int_equal(ept_show_zeros(&ept, at(GPA)), OK);
	assert_int_equal(ept_show_zeros(&ept, at(GPA + MIB(2))), OK);
	(void)copy(&ept, GPA + MIB(3));
	frame_free(ept_discard(&ept, at(GPA + MIB(3))));
	assert_int_equal(merged_count().sharing, 1);
	for (uint64_t gpa = GPA; gpa < GPA + MIB(4); gpa += MIB(2)) {
		block = populate(gpa);
		for (unsigned i = 0; i < MIB(2) / 8; i++)
			assert_int_equal(words(block)[i], 0);
	}
	assert_int_equal(merged_count().sharing, 0);
}

static void what_cannot_be_a_large_page_is_refused(void **state)
{
	uint64_t *entry, n_owned;

	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(2) - PAGE_SIZE), OK);
	assert_int_equal(ept_populate_large_begin(&ept, at(GPA), &entry), ERR_NOTFOUND);
	assert_int_equal(ept_populate_large_begin(&ept, at(GPA + MIB(2)), &entry), ERR_NOTFOUND);
	assert_int_equal(ept_populate_large_begin(&ept, at(BIT(48)), &entry), ERR_RANGE);
	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(2)), OK);
	n_owned = ept.n_owned;
	for (unsigned n = 0; n < FRAME_BLOCK; n += FRAME_BLOCK - 1) {
		ept.max_owned = n_owned + n;
		assert_int_equal(ept_populate_large_begin(&ept, at(GPA), &entry), ERR_NOMEM);
		assert_int_equal(ept.n_owned, n_owned);
	}
	ept.max_owned = n_owned + FRAME_BLOCK;
	(void)populate(GPA);
	ept.max_owned = EPT_UNLIMITED;
	/* It is one already. */
	assert_int_equal(ept_populate_large_begin(&ept, at(GPA), &entry), OK);
	assert_null(entry);
}

static void its_table_and_its_item_of_the_log_need_memory(void **state)
{
	static phys_t taken[N_FRAMES + 64];
	uint64_t *entry, n = 0;

	assert_int_equal(ept_map_zero(&ept, at(GIB(1)), GIB(1)), OK);
	assert_int_equal(ept_map_zero(&ept, at(GIB(3)), PAGE_SIZE), OK);
	while (ept.log.n_first < EPT_LOG_FIRST)
		(void)copy(&ept, GIB(1) + 3 * PAGE_SIZE * ept.log.n_first);
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	assert_int_equal(ept_populate_large_begin(&ept, at(GIB(3)), &entry), ERR_NOTFOUND);
	assert_int_equal(ept_populate_large_begin(&ept, at(GIB(1) + MIB(2)), &entry), ERR_NOMEM);
	assert_int_equal(ept_populate_large_begin(&ept, at(GIB(5)), &entry), ERR_NOMEM);
	while (n > 0)
		frame_free(taken[--n]);
}

/* With each number of items that the log can have before. */
static void discarding_a_page_splits_it(void **state)
{
	for (unsigned n = 0; n < EPT_LOG_CHUNK_ITEMS + EPT_LOG_FIRST; n++) {
		phys_t block, frame;
		uint64_t generation;

		assert_int_equal(ept_map_zero(&ept, at(0), MIB(4)), OK);
		for (unsigned i = 0; i < n; i++)
			(void)copy(&ept, i * PAGE_SIZE);
		block = populate_zeros();
		generation = ept.generation;
		frame = ept_discard(&ept, at(GPA + 9 * PAGE_SIZE));
		assert_int_equal(frame, block + 9 * PAGE_SIZE);
		assert_true(ept.generation > generation);
		frame_free(frame);
		assert_int_equal(frame_at(&ept, GPA + 9 * PAGE_SIZE), ept_zero_frame());
		assert_int_equal(frame_at(&ept, GPA + 8 * PAGE_SIZE), block + 8 * PAGE_SIZE);
		assert_int_equal(frame_at(&ept, GPA + MIB(2) - 1), block + MIB(2) - PAGE_SIZE);
		assert_int_equal(copy(&ept, GPA), block);
		check_tree(&ept);
		ept_destroy(&ept);
		assert_int_equal(setup(NULL), 0);
	}
}

static void without_memory_for_a_table_it_stays_whole(void **state)
{
	static phys_t taken[N_FRAMES + 64];
	phys_t block = populate_zeros();
	uint64_t n = 0, owned = ept.n_owned;
	/* A table, and frames of the log, less the block's page that is discarded. */
	uint64_t needed = ept_log_frames_for(&ept.log, FRAME_BLOCK);

	for (uint64_t max = 0; max < needed; max++) {
		ept.max_owned = owned + max;
		assert_int_equal(ept_discard(&ept, at(GPA)), 0);
		assert_int_equal(ept.n_owned, owned);
		assert_int_equal(level_at(&ept, GPA), 1);
	}
	ept.max_owned = owned + needed + 1;
	assert_int_equal(ept_discard(&ept, at(GPA)), block);
	frame_free(block);
	ept.max_owned = EPT_UNLIMITED;
	block = populate(GPA + MIB(2));
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	frame_free(taken[--n]);
	owned = ept.n_owned;
	assert_int_equal(ept_discard(&ept, at(GPA + MIB(2))), 0); /* one frame is free, not two */
	assert_int_equal(frame_available(), 1);
	assert_int_equal(ept.n_owned, owned);
	assert_int_equal(level_at(&ept, GPA + MIB(2)), 1);
	while (n > 0)
		frame_free(taken[--n]);
	assert_int_equal(ept_discard(&ept, at(GPA + MIB(2))), block);
	frame_free(block);
}

static void one_is_found_where_the_search_begins_inside(void **state)
{
	phys_t block = populate_zeros();
	gpa_t gpa = at(GPA + 17 * PAGE_SIZE);
	unsigned budget = 10;
	uint64_t entry = ept_next_own(&ept, &gpa, at(GPA + MIB(4)), &budget);

	assert_int_equal(entry & EPT_ADDR, block);
	assert_true(entry & EPT_LARGE);
	assert_int_equal(gpa.raw, GPA + 17 * PAGE_SIZE);
	gpa = at(GPA + MIB(2));
	assert_int_equal(ept_next_own(&ept, &gpa, at(GPA + MIB(4)), &budget), 0);
}

/* Without a table, and without memory. */
static void unmapping_frees_the_block(void **state)
{
	phys_t block = populate_zeros();

	ept.max_owned = ept.n_owned;
	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(2)), OK);
	assert_int_equal(ept.n_retired, FRAME_BLOCK);
	check_tree(&ept);
	ept_reclaim(&ept);
	assert_int_equal(ept.n_retired, 0);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_free_block(block);
	ept.max_owned = EPT_UNLIMITED;
	/* With all that is above. */
	block = populate(GPA);
	assert_int_equal(ept_map(&ept, at(GPA), 0, GIB(1), 0), OK);
	assert_int_equal(ept_map(&ept, at(0), 0, GIB(512), 0), OK);
	check_tree(&ept);
	ept_reclaim(&ept);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_free_block(block);
}

static void mapping_a_small_page_over_it_leaves_the_rest(void **state)
{
	phys_t block = populate_zeros();

	assert_int_equal(ept_map(&ept, at(GPA + PAGE_SIZE), IMAGE, PAGE_SIZE, RX), OK);
	assert_int_equal(frame_at(&ept, GPA), block);
	assert_int_equal(frame_at(&ept, GPA + PAGE_SIZE), IMAGE);
	assert_int_equal(frame_at(&ept, GPA + 2 * PAGE_SIZE), block + 2 * PAGE_SIZE);
}

static void count_frame(void *count, phys_t frame)
{
	++*(uint64_t *)count;
}

static void a_clone_shares_it_and_copies_4_kib_of_it(void **state)
{
	phys_t block = populate_zeros(), frame;
	struct ept_layer_sum before = {0}, after = {0};
	struct ept_layer_cursor cursor = {0};
	struct ept_layer *layer;
	struct ept clone;
	uint64_t n = 0, last = 0;

	words(block + MIB(1))[3] = 42;
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	check_layer(layer);
	while (ept_layer_sum_some(layer, &before, 1))
		;
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(level_at(&clone, GPA), 1);
	assert_int_equal(frame_at(&clone, GPA), block);
	frame = copy(&clone, GPA + MIB(1));
	assert_int_equal(words(frame)[3], 42);
	words(frame)[3] = 43;
	assert_int_equal(words(block + MIB(1))[3], 42);
	assert_int_equal(frame_at(&clone, GPA + MIB(1) - 1), block + MIB(1) - PAGE_SIZE);
	assert_int_equal(clone.n_owned, 4); /* three tables, the page */
	check_tree(&clone);
	check_layer(layer);
	/* Each frame is visited, and is a part of the checksum. */
	while (ept_layer_each(layer, &cursor, 100, count_frame, &n)) {
		assert_in_range(n - last, 90, 102); /* a large page is visited in pieces */
		last = n;
	}
	assert_int_equal(n, layer->n_owned);
	while (ept_layer_sum_some(layer, &after, 1000))
		;
	assert_true(before.value == after.value);
	words(block + MIB(2) - PAGE_SIZE)[5]++;
	after = (struct ept_layer_sum){0};
	while (ept_layer_sum_some(layer, &after, 1000))
		;
	assert_true(before.value != after.value);

	ept_reset(&clone);
	assert_int_equal(frame_at(&clone, GPA + MIB(1)), block + MIB(1));
	ept_destroy(&clone);
	ept_destroy(&ept);
	/* The last one to go frees a block. */
	while (ept_layer_free_some(layer, 3))
		;
	ept_layer_put(layer);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_free_block(block);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
}

/* A block that was split is frozen and freed page by page. */
static void a_split_one_is_frozen_like_other_pages(void **state)
{
	phys_t block = populate_zeros();
	struct ept_layer *layer;
	struct ept clone;

	frame_free(ept_discard(&ept, at(GPA)));
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	check_layer(layer);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(frame_at(&clone, GPA + PAGE_SIZE), block + PAGE_SIZE);
	ept_destroy(&clone);
	ept_layer_put(layer);
}

static void a_reset_frees_it(void **state)
{
	struct ept_layer *layer;
	phys_t block;

	assert_int_equal(ept_map_zero(&ept, at(GPA), MIB(2)), OK);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	block = populate(GPA);
	ept_reset(&ept);
	assert_int_equal(ept.n_owned, 0);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_free_block(block);
	ept_layer_put(layer);
}

/* A device's memory: all of it is dropped as a block, a part of it by pages. */
static void a_hidden_one_can_be_dropped(void **state)
{
	uint64_t done, gpa = EPT_HIDDEN_START + MIB(2);
	phys_t block;

	assert_int_equal(ept_map_zero(&ept, at(gpa), MIB(2)), OK);
	block = populate(gpa);
	assert_int_equal(frame_at(&ept, gpa + 123 * PAGE_SIZE), block + 123 * PAGE_SIZE);
	assert_int_equal(ept_drop(&ept, at(gpa), MIB(2), &done), OK);
	assert_int_equal(done, MIB(2));
	assert_int_equal(frame_at(&ept, gpa), ept_zero_frame());
	ept_reclaim(&ept);
	assert_int_equal(populate(gpa), block);
	assert_int_equal(ept_drop(&ept, at(gpa + PAGE_SIZE), MIB(2) - PAGE_SIZE, &done), OK);
	assert_int_equal(done, PAGE_SIZE);
	assert_int_equal(frame_at(&ept, gpa), block);
	assert_int_equal(frame_at(&ept, gpa + PAGE_SIZE), ept_zero_frame());
}

/* The region of the next cases: three stretches of 2 MiB, and a part of one. */
#define REGION_SIZE (MIB(6) + MIB(1))

static bool fill_large(struct ept *tree, uint64_t gpa)
{
	uint64_t generation = tree->generation, n_owned = tree->n_owned;
	bool is_filled = ept_fill_large(tree, at(gpa), at(GPA), at(GPA + REGION_SIZE));

	assert_int_equal(tree->generation, generation);
	if (is_filled) {
		assert_int_equal(level_at(tree, gpa), 1);
		assert_true(tree->n_owned >= n_owned + FRAME_BLOCK);
	} else {
		assert_true(tree->n_owned <= n_owned + 1); /* a table */
	}
	check_tree(tree);
	return is_filled;
}

/* Fresh memory, of which the pages of a stretch were written. */
static void write_stretch(uint64_t gpa, unsigned n_pages)
{
	assert_int_equal(ept_map_zero(&ept, at(GPA), REGION_SIZE), OK);
	for (unsigned i = 0; i < n_pages; i++)
		copy(&ept, gpa + i * PAGE_SIZE);
}

static void memory_written_in_order_gets_large_pages(void **state)
{
	phys_t block;

	write_stretch(GPA, FRAME_BLOCK - 1);
	assert_false(fill_large(&ept, GPA + MIB(2)));
	copy(&ept, GPA + MIB(2) - PAGE_SIZE);
	assert_true(fill_large(&ept, GPA + MIB(2) + 0x5123));
	block = frame_at(&ept, GPA + MIB(2));
	for (unsigned i = 0; i < MIB(2) / 8; i++)
		assert_int_equal(words(block)[i], 0);
	assert_int_equal(copy(&ept, GPA + MIB(2) + 0x5000), block + 0x5000);
	assert_false(fill_large(&ept, GPA + MIB(2))); /* it is large already */
	assert_false(fill_large(&ept, GPA));	      /* these pages were written */
	assert_true(fill_large(&ept, GPA + MIB(4)));  /* beside a large one */
	assert_false(fill_large(&ept, GPA + MIB(6))); /* the region ends */
}

static void so_does_memory_written_downwards(void **state)
{
	write_stretch(GPA + MIB(4), FRAME_BLOCK);
	assert_false(fill_large(&ept, GPA)); /* not beside it */
	assert_true(fill_large(&ept, GPA + MIB(4) - PAGE_SIZE));
	assert_true(fill_large(&ept, GPA));
}

static void a_stretch_with_a_page_stays_small(void **state)
{
	write_stretch(GPA, FRAME_BLOCK);
	copy(&ept, GPA + MIB(2) + 0x5000);
	assert_false(fill_large(&ept, GPA + MIB(2)));
}

static void large_pages_are_not_made_where_memory_is_short(void **state)
{
	phys_t taken[N_FRAMES];
	unsigned n = 0;

	write_stretch(GPA, FRAME_BLOCK);
	ept.max_owned = 2 * (ept.n_owned + FRAME_BLOCK) - 1;
	assert_false(fill_large(&ept, GPA + MIB(2)));
	ept.max_owned++;
	ept.leaf_levels = 1;
	assert_false(fill_large(&ept, GPA + MIB(2)));
	ept.leaf_levels = 2;
	assert_true(fill_large(&ept, GPA + MIB(2)));
	ept.max_owned = EPT_UNLIMITED;
	while (!frame_is_scarce())
		taken[n++] = frame_alloc();
	assert_false(fill_large(&ept, GPA + MIB(4)));
	while (n > 0)
		frame_free(taken[--n]);
	assert_false(fill_large(&ept, GPA + MIB(4))); /* no block is free */
}

/* A clone is to be small; so is what a template becomes after its freeze. */
static void a_clone_gets_no_large_pages(void **state)
{
	struct ept_layer *layer;
	struct ept clone;

	write_stretch(GPA, FRAME_BLOCK);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	for (unsigned i = 0; i < FRAME_BLOCK; i++)
		copy(&clone, GPA + i * PAGE_SIZE);
	assert_false(fill_large(&clone, GPA + MIB(2)));
	ept_destroy(&clone);
	ept_layer_put(layer);
}

/* Clones and their reverts find it, as any other page. */
static void a_template_may_have_such_pages(void **state)
{
	struct ept_layer *layer;
	struct ept clone;
	phys_t block;

	write_stretch(GPA, FRAME_BLOCK);
	assert_true(fill_large(&ept, GPA + MIB(2)));
	block = frame_at(&ept, GPA + MIB(2));
	words(block)[5] = 42;
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	check_layer(layer);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	words(copy(&clone, GPA + MIB(2)))[5] = 43;
	assert_int_equal(words(block)[5], 42);
	ept_reset(&clone);
	assert_int_equal(frame_at(&clone, GPA + MIB(2)), block);
	ept_destroy(&clone);
	ept_layer_put(layer);
}

static void each_of_its_pages_differs_from_what_is_below(void **state)
{
	gpa_t gpa = at(GPA);
	struct ept_layer *layer;
	unsigned budget = 1000;

	assert_int_equal(ept_map(&ept, at(GPA), IMAGE, MIB(2), RX), OK);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	(void)populate(GPA);
	for (unsigned i = 0; i < FRAME_BLOCK; i++, gpa = gpa_add(gpa, PAGE_SIZE))
		assert_int_equal(
			ept_next_difference(&ept, layer->root, gpa, at(GPA + MIB(2)), &budget).raw,
			gpa.raw);
	ept_layer_put(layer);
}

static void the_log_knows_how_many_frames_it_needs(void **state)
{
	enum { FIRST = EPT_LOG_FIRST, MORE = EPT_LOG_CHUNK_ITEMS };
	static const struct {
		unsigned n_first, n_in_chunk, n, frames;
	} cases[] = {
		{0, 0, FIRST, 0},
		{0, 0, FIRST + 1, 1},
		{FIRST, 0, 0, 0},
		{FIRST, 0, 1, 1},
		{FIRST, 0, MORE, 1},
		{FIRST, 0, MORE + 1, 2},
		{FIRST - 1, 0, MORE + 1, 1},
		{FIRST, MORE, MORE + 1, 2},
		{FIRST, 1, MORE - 1, 0},
		{FIRST, 1, MORE, 1},
		{FIRST, MORE, 1, 1},
		{FIRST, MORE - 11, MORE + 1, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ept_log log = {0};

		while (log.n_first < cases[i].n_first)
			ept_log_add(&log, (struct ept_log_item){0});
		if (cases[i].n_in_chunk > 0)
			ept_log_grow(&log, frame_alloc());
		for (unsigned k = 0; k < cases[i].n_in_chunk; k++)
			ept_log_add(&log, (struct ept_log_item){0});
		assert_int_equal(ept_log_frames_for(&log, cases[i].n), cases[i].frames);
		ept_log_free(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_takes_a_block_and_no_table, setup, teardown),
		cmocka_unit_test_setup_teardown(its_bytes_are_those_of_the_pages_before, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			zeros_that_are_shown_and_merged_pages_are_bytes_like_others, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_a_large_page_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(its_table_and_its_item_of_the_log_need_memory,
						setup, teardown),
		cmocka_unit_test_setup_teardown(discarding_a_page_splits_it, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_for_a_table_it_stays_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_is_found_where_the_search_begins_inside, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unmapping_frees_the_block, setup, teardown),
		cmocka_unit_test_setup_teardown(mapping_a_small_page_over_it_leaves_the_rest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_clone_shares_it_and_copies_4_kib_of_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_split_one_is_frozen_like_other_pages, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_reset_frees_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hidden_one_can_be_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_written_in_order_gets_large_pages, setup,
						teardown),
		cmocka_unit_test_setup_teardown(so_does_memory_written_downwards, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stretch_with_a_page_stays_small, setup, teardown),
		cmocka_unit_test_setup_teardown(large_pages_are_not_made_where_memory_is_short,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_clone_gets_no_large_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(a_template_may_have_such_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(each_of_its_pages_differs_from_what_is_below, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_log_knows_how_many_frames_it_needs, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
