/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the persistent tree with flat arrays: random operations on several
 * trees and the layers they were frozen to. A tag in its last word identifies
 * the contents of each page.
 */
#include "hv/ept/ept.h"

#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define RX  (EPT_R | EPT_X | EPT_TYPE(6))
#define RWX (RX | EPT_W)

/* Physical memory: a private image, a shared image, frames. */
#define IMAGE	    MIB(2)
#define SHARED	    (IMAGE + MIB(4))
#define FRAMES	    (SHARED + MIB(4))
#define N_FRAMES    4000
#define IMAGE_PAGES 1024

/* Guest memory: windows of 4 MiB that contain the borders of tables. */
#define WINDOW_PAGES UINT64_C(1024)
static const uint64_t window[] = {
	0, GIB(1) - MIB(2), GIB(512) - MIB(2), BIT(47), BIT(48) - MIB(4),
};
#define N_PAGES (ARRAY_SIZE(window) * WINDOW_PAGES)

/* The kinds of pages. Images and zeros are private: read-only until they are copied. */
enum kind { HOLE, PRIVATE, COPIED, SHARED_PAGE };

struct page {
	uint64_t tag; /* in the page's last word; for shared pages: which one */
	enum kind kind;
};

/* A layer, and what it must translate to. Counted like the layer. */
struct snapshot {
	struct snapshot *parent;
	unsigned n_refs;
	struct ept_layer *layer;
	uint64_t n_frames;
	struct page page[N_PAGES];
};

#define N_TREES 5
static struct tree {
	bool is_live;
	struct ept ept;
	struct snapshot *base;
	struct page page[N_PAGES];
} trees[N_TREES];

static struct snapshot *held[3]; /* layers on which the test itself holds a count */
static uint64_t n_layer_frames;
static uint64_t shared_tag[IMAGE_PAGES];
static uint64_t last_tag;
static phys_t scratch;
static unsigned n_nomem, n_populated, n_kept, n_restored;
static uint64_t seed;

static uint64_t random_below(uint64_t n)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (seed >> 33) % n;
}

static uint64_t *tag_of(phys_t frame)
{
	return (uint64_t *)phys_to_virt(frame) + 511;
}

static gpa_t gpa_of(uint64_t page)
{
	return (gpa_t){window[page / WINDOW_PAGES] + page % WINDOW_PAGES * PAGE_SIZE};
}

/* Whether page i of the tree is what 'page' says. */
static bool matches(const struct tree *tree, uint64_t i, const struct page *page)
{
	unsigned level;
	uint64_t entry = ept_lookup(&tree->ept, gpa_of(i), &level);
	uint64_t offset = gpa_of(i).raw & ((PAGE_SIZE << (9 * level)) - 1);
	phys_t frame = (entry & EPT_ADDR) + offset;

	if (page->kind == HOLE || entry == 0)
		return page->kind == HOLE && entry == 0;
	if (!(entry & EPT_FRESH) && (entry & (RX | EPT_TYPE_MASK)) != RX)
		return false;
	if (page->kind == SHARED_PAGE) /* with EPT_W, or sealed by a freeze */
		return !(entry & EPT_OWN) && frame == SHARED + page->tag * PAGE_SIZE &&
		       *tag_of(frame) == shared_tag[page->tag];
	if (page->kind == COPIED)
		return (entry & EPT_OWN) && (entry & EPT_W) && *tag_of(frame) == page->tag;
	return !(entry & (EPT_OWN | EPT_W)) && *tag_of(frame) == page->tag;
}

static void check_page(const struct tree *tree, uint64_t i)
{
	assert_true(matches(tree, i, &tree->page[i]));
}

static void check_books(void)
{
	uint64_t n = n_layer_frames + EPT_ZERO_LEVELS + 1; /* zeros, the scratch page */

	for (unsigned i = 0; i < N_TREES; i++)
		if (trees[i].is_live)
			n += trees[i].ept.n_owned;
	assert_int_equal(frame_total() - frame_available(), n);
}

static void check_everything(void)
{
	for (unsigned t = 0; t < N_TREES; t++) {
		if (!trees[t].is_live)
			continue;
		for (uint64_t i = 0; i < N_PAGES; i++)
			check_page(&trees[t], i);
		check_tree(&trees[t].ept);
		for (const struct snapshot *s = trees[t].base; s != NULL; s = s->parent)
			check_layer(s->layer);
	}
	for (uint64_t i = 0; i < IMAGE_PAGES; i++)
		assert_int_equal(*tag_of(IMAGE + i * PAGE_SIZE), 1 + i);
	assert_int_equal(*tag_of(scratch), 0);
	check_books();
}

static void snapshot_put(struct snapshot *snapshot)
{
	while (snapshot != NULL && --snapshot->n_refs == 0) {
		struct snapshot *parent = snapshot->parent;

		n_layer_frames -= snapshot->n_frames;
		free(snapshot);
		snapshot = parent;
	}
}

static void copied_become_private(struct page page[])
{
	for (uint64_t i = 0; i < N_PAGES; i++)
		if (page[i].kind == COPIED)
			page[i].kind = PRIVATE;
}

/* An operation may only fail because no frame is left. */
static bool succeeded(enum status status)
{
	n_nomem += status == ERR_NOMEM;
	assert_true(status == OK || status == ERR_NOMEM);
	return status == OK;
}

static void do_write_shared(struct tree *tree, uint64_t i)
{
	phys_t frame = SHARED + tree->page[i].tag * PAGE_SIZE;
	unsigned level;

	if (!(ept_lookup(&tree->ept, gpa_of(i), &level) & EPT_W) &&
	    !succeeded(ept_map(&tree->ept, gpa_of(i), frame, PAGE_SIZE, RWX)))
		return;
	assert_true(ept_lookup(&tree->ept, gpa_of(i), &level) & EPT_W);
	*tag_of(frame) = shared_tag[tree->page[i].tag] = ++last_tag;
}

static void do_write(struct tree *tree, uint64_t i)
{
	enum status status;
	phys_t frame = 0;

	if (tree->page[i].kind == SHARED_PAGE) {
		do_write_shared(tree, i);
		return;
	}
	status = ept_copy(&tree->ept, gpa_of(i), &frame);
	if (tree->page[i].kind == HOLE) {
		assert_true(status == ERR_NOTFOUND || status == ERR_NOMEM);
		return;
	}
	if (!succeeded(status))
		return;
	assert_int_equal(*tag_of(frame), tree->page[i].tag);
	*tag_of(frame) = ++last_tag;
	tree->page[i] = (struct page){.kind = COPIED, .tag = last_tag};
}

/* The page at 'offset' of a range whose first page is page 'first' of its image. */
static struct page mapped_page(unsigned what, uint64_t first, uint64_t offset)
{
	static const enum kind kinds[] = {HOLE, PRIVATE, PRIVATE, SHARED_PAGE};
	const uint64_t tags[] = {0, 0, 1 + first + offset, first + offset};

	return (struct page){.kind = kinds[what], .tag = tags[what]};
}

static enum status map_range(struct ept *ept, unsigned what, gpa_t gpa, uint64_t first, uint64_t n)
{
	uint64_t len = n * PAGE_SIZE;

	switch (what) {
	case 0:
		return ept_map(ept, gpa, 0, len, 0);
	case 1:
		return ept_map_zero(ept, gpa, len);
	case 2:
		return ept_map(ept, gpa, IMAGE + first * PAGE_SIZE, len, RX);
	default:
		return ept_map(ept, gpa, SHARED + first * PAGE_SIZE, len, RWX);
	}
}

/* Half of the ranges allow large pages. After a failure a first part of the range is new. */
static void do_map(struct tree *tree, uint64_t at)
{
	unsigned what = (unsigned)random_below(4);
	uint64_t unit = random_below(2) ? 512 : 1, place = at % WINDOW_PAGES, n, first, i = 0;
	bool ok;

	place -= place % unit;
	n = unit * (1 + random_below(unit == 1 ? 40 : 2));
	if (n > WINDOW_PAGES - place)
		n = WINDOW_PAGES - place;
	first = random_below(2) ? place : random_below(IMAGE_PAGES - n + 1);
	at = at - at % WINDOW_PAGES + place;
	ok = succeeded(map_range(&tree->ept, what, gpa_of(at), first, n));
	for (; i < n; i++) {
		struct page page = mapped_page(what, first, i);

		if (!ok && !matches(tree, at + i, &page))
			break;
		tree->page[at + i] = page;
	}
	for (; i < n; i++)
		check_page(tree, at + i);
}

static void do_override(struct tree *tree, uint64_t i)
{
	uint64_t old = 0, back = 0, generation = tree->ept.generation;
	enum status status = ept_override(&tree->ept, gpa_of(i), scratch | RWX, &old);
	unsigned level;

	if (gpa_of(i).raw >= EPT_HIDDEN_START) {
		assert_int_equal(status, ERR_RANGE);
		return;
	}
	if (tree->page[i].kind == COPIED) {
		assert_int_equal(status, ERR_INVAL);
		return;
	}
	if (!succeeded(status))
		return;
	assert_int_equal(ept_lookup(&tree->ept, gpa_of(i), &level), scratch | RWX);
	assert_true(!(old & EPT_PRESENT) || tree->ept.generation > generation);
	assert_int_equal(ept_override(&tree->ept, gpa_of(i), old, &back), OK);
	assert_int_equal(back, scratch | RWX);
	check_page(tree, i);
}

/* Discard private pages that no processor finds. */
static void do_drop(struct tree *tree, uint64_t i)
{
	uint64_t n = 1 + random_below(WINDOW_PAGES - i % WINDOW_PAGES), done;

	if (gpa_of(i).raw < EPT_HIDDEN_START)
		return;
	for (uint64_t k = 0; k < n; k++)
		if (tree->page[i + k].kind == HOLE || tree->page[i + k].kind == SHARED_PAGE)
			return;
	if (!succeeded(ept_drop(&tree->ept, gpa_of(i), n * PAGE_SIZE, &done)))
		return;
	assert_true(done / PAGE_SIZE == 1 || done / PAGE_SIZE == 512);
	for (uint64_t k = 0; k < done / PAGE_SIZE; k++)
		tree->page[i + k] = (struct page){.kind = PRIVATE, .tag = 0};
	check_page(tree, i);
}

/* A block, even if its frames must be found among single ones. */
static phys_t find_block(void)
{
	static const struct frame_policy local = {.mode = FRAME_LOCAL};
	phys_t block = frame_alloc_block_by(&local, 0);

	return block != 0 ? block : frame_alloc_run(FRAME_BLOCK, MIB(2));
}

/* Make 2 MiB one page, whatever of it is own. */
static void do_populate(struct tree *tree, uint64_t at)
{
	struct page *page = &tree->page[at -= at % FRAME_BLOCK];
	enum status expected = OK, status;
	uint64_t *entry;
	phys_t block;

	for (unsigned i = 0; i < FRAME_BLOCK; i++) {
		if (page[i].kind == SHARED_PAGE)
			return;
		expected = page[i].kind == HOLE ? ERR_NOTFOUND : expected;
	}
	if (tree->ept.leaf_levels < 2 || (block = find_block()) == 0)
		return;
	status = ept_populate_large_begin(&tree->ept, gpa_of(at), &entry);
	if (status != OK || entry == NULL) {
		assert_true(status == expected || status == ERR_NOMEM);
		frame_free_block(block);
		return;
	}
	assert_int_equal(expected, OK);
	ept_populate_large(entry, block);
	ept_populate_large_end(&tree->ept, entry, block);
	for (unsigned i = 0; i < FRAME_BLOCK; i++)
		page[i].kind = COPIED;
	n_populated++;
}

/* Discard one page of the tree's own, which reads as zeros from then on. */
static void do_discard(struct tree *tree, uint64_t i)
{
	uint64_t generation = tree->ept.generation;
	phys_t frame = ept_discard(&tree->ept, gpa_of(i));

	assert_true(frame == 0 || tree->page[i].kind == COPIED);
	if (frame == 0)
		return;
	assert_true(tree->ept.generation > generation);
	assert_int_equal(*tag_of(frame), tree->page[i].tag);
	frame_free(frame);
	tree->page[i] = (struct page){.kind = PRIVATE, .tag = 0};
}

static struct snapshot *new_snapshot(struct tree *tree, struct ept_layer *layer)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));

	assert_non_null(snapshot);
	snapshot->parent = tree->base;
	snapshot->n_refs = 1;
	snapshot->layer = layer;
	snapshot->n_frames = layer->n_owned + 1;
	n_layer_frames += snapshot->n_frames;
	copied_become_private(tree->page);
	memcpy(snapshot->page, tree->page, sizeof(tree->page));
	return snapshot;
}

static void do_freeze(struct tree *tree)
{
	struct snapshot **slot = &held[random_below(ARRAY_SIZE(held))];
	struct ept_layer *layer;

	if (!succeeded(freeze_tree(&tree->ept, &layer)))
		return;
	if (tree->base == NULL || layer != tree->base->layer)
		tree->base = new_snapshot(tree, layer);
	tree->base->n_refs++;
	if (*slot != NULL) {
		ept_layer_put((*slot)->layer);
		snapshot_put(*slot);
	}
	*slot = tree->base;
}

static void do_destroy(struct tree *tree)
{
	ept_destroy(&tree->ept);
	snapshot_put(tree->base);
	memset(tree, 0, sizeof(*tree));
}

/* Make a tree: a clone if there is a layer, sometimes an empty one. */
static void do_create(struct tree *tree)
{
	struct snapshot *base = held[random_below(ARRAY_SIZE(held))];

	if (base == NULL || random_below(8) == 0) {
		tree->is_live = succeeded(
			ept_init(&tree->ept, 1 + (unsigned)random_below(3), EPT_UNLIMITED));
		return;
	}
	ept_clone(&tree->ept, base->layer, random_below(4) ? EPT_UNLIMITED : 50);
	memcpy(tree->page, base->page, sizeof(tree->page));
	tree->base = base;
	base->n_refs++;
	tree->is_live = true;
}

static void do_reset(struct tree *tree)
{
	if (tree->base == NULL)
		return;
	ept_reset(&tree->ept);
	n_kept += tree->ept.owns_root;
	memcpy(tree->page, tree->base->page, sizeof(tree->page));
	if (random_below(2))
		ept_reclaim(&tree->ept);
}

/* Pages of the tree's own may stay so, with what was there before. */
static void do_restore(struct tree *tree)
{
	bool trims = random_below(2), stay;

	if (tree->base == NULL)
		return;
	stay = ept_restore(&tree->ept, random_below(4) ? EPT_UNLIMITED : random_below(600), trims);
	n_restored += stay;
	for (uint64_t i = 0; i < N_PAGES; i++) {
		struct page *page = &tree->page[i], base = tree->base->page[i];
		bool stays = stay && page->kind == COPIED && !(trims && page->tag == base.tag);

		*page = base;
		if (stays)
			page->kind = COPIED;
	}
}

static void step(struct tree *tree)
{
	uint64_t i = random_below(N_PAGES), dice = random_below(1000);
	bool is_remapped =
		(tree - trees) % 2; /* the others keep their tables when they are reset */

	if (!tree->is_live)
		do_create(tree);
	else if (dice < 850)
		do_write(tree, i);
	else if (dice < 868 && is_remapped)
		do_map(tree, i);
	else if (dice < 890 && is_remapped)
		do_populate(tree, i);
	else if (dice < 900)
		do_discard(tree, i);
	else if (dice < 930 && is_remapped)
		do_override(tree, i);
	else if (dice < 960 && is_remapped)
		do_drop(tree, i);
	else if (dice < 980)
		ept_reclaim(&tree->ept);
	else if (dice < 984)
		do_freeze(tree);
	else if (dice < 988)
		do_reset(tree);
	else if (dice < 994)
		do_restore(tree);
	else if (dice < 999)
		do_destroy(tree);
	if (tree->is_live)
		check_page(tree, i);
}

static void start(void)
{
	frame_reset();
	frame_poison = true;
	phys_arena(IMAGE, MIB(24));
	for (uint64_t i = 0; i < IMAGE_PAGES; i++) {
		*tag_of(IMAGE + i * PAGE_SIZE) = 1 + i;
		*tag_of(SHARED + i * PAGE_SIZE) = shared_tag[i] = 5000 + i;
	}
	last_tag = 10000;
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	scratch = frame_alloc_zeroed();
}

static void trees_are_as_flat_arrays(void **state)
{
	start();
	seed = 4711;
	for (unsigned n = 0; n < 100000; n++) {
		struct tree *tree = &trees[random_below(N_TREES)], *other;

		step(tree);
		/* An operation on one tree does not affect another. */
		other = &trees[random_below(N_TREES)];
		for (unsigned k = 0; other->is_live && k < 4; k++)
			check_page(other, random_below(N_PAGES));
		check_books();
		if (n % 1000 == 0)
			check_everything();
	}
	check_everything();
	assert_in_range(n_nomem, 100, 20000); /* frames are exhausted sometimes, but not always */
	assert_in_range(n_populated, 20, 5000);
	assert_in_range(n_kept, 50, 5000);
	assert_in_range(n_restored, 50, 5000);

	for (unsigned t = 0; t < N_TREES; t++)
		if (trees[t].is_live)
			do_destroy(&trees[t]);
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i] != NULL) {
			ept_layer_put(held[i]->layer);
			snapshot_put(held[i]);
		}
	assert_int_equal(n_layer_frames, 0);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_are_as_flat_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
