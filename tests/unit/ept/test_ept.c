/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/ept/ept.h"

#include <string.h>

#include "hv/ept/merged.h"
#include "hv/ept/store.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

/* Physical memory: an image of 4 MiB, then frames. */
#define IMAGE	   MIB(2)
#define IMAGE_SIZE MIB(4)
#define FRAMES	   (IMAGE + IMAGE_SIZE)
#define N_FRAMES   64
#define RX	   (EPT_R | EPT_X | EPT_TYPE(6))
#define RWX	   (RX | EPT_W)
#define TOP	   BIT(48)

static struct ept ept;
static unsigned stores;
static void (*after_store)(void);

/* Replaces hv/ept/store.c: check the tables after every single store. */
void ept_store(uint64_t *slot, uint64_t entry)
{
	*slot = entry;
	stores++;
	if (after_store != NULL)
		after_store();
}

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static uint64_t *words(phys_t phys)
{
	return phys_to_virt(phys);
}

/* Provide 'n_frames' besides those of zeros, and no tree. */
static void start(uint64_t n_frames)
{
	after_store = NULL;
	stores = 0;
	frame_reset();
	phys_arena(IMAGE, IMAGE_SIZE + MIB(2)); /* N_FRAMES fit */
	for (uint64_t page = 0; page < IMAGE_SIZE / PAGE_SIZE; page++)
		words(IMAGE + page * PAGE_SIZE)[0] = words(IMAGE + page * PAGE_SIZE)[511] =
			1000 + page;
	frame_add_range(FRAMES, (n_frames + EPT_ZERO_LEVELS) * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(frame_available(), n_frames);
}

static int setup(void **state)
{
	start(N_FRAMES);
	assert_int_equal(ept_init(&ept, 3, EPT_UNLIMITED), OK);
	return 0;
}

/* Nothing is lost: all frames are free after the tree is destroyed. */
static int teardown(void **state)
{
	after_store = NULL;
	check_tree(&ept);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

static uint64_t entry_of(const struct ept *tree, uint64_t gpa)
{
	unsigned level;

	return ept_lookup(tree, at(gpa), &level);
}

static unsigned level_of(uint64_t gpa)
{
	unsigned level;

	(void)ept_lookup(&ept, at(gpa), &level);
	return level;
}

#define HOLE UINT64_MAX

static phys_t translate_in(const struct ept *tree, uint64_t gpa)
{
	unsigned level;
	uint64_t entry = ept_lookup(tree, at(gpa), &level);
	uint64_t mask = (PAGE_SIZE << (9 * level)) - 1;

	return entry ? (entry & EPT_ADDR & ~mask) | (gpa & mask) : HOLE;
}

static phys_t translate(uint64_t gpa)
{
	return translate_in(&ept, gpa);
}

/* A snapshot of a window of translations, except one page, compared after every store. */
#define WINDOW_PAGES 1536
static struct {
	const struct ept *tree;
	uint64_t from, except;
	uint64_t entry[WINDOW_PAGES]; /* address of the page with permissions and type */
} window;

static uint64_t page_entry(const struct ept *tree, uint64_t gpa)
{
	uint64_t entry = entry_of(tree, gpa);

	return entry ? translate_in(tree, gpa) | (entry & (EPT_PRESENT | EPT_TYPE_MASK)) : 0;
}

static void window_is_as_it_was(void)
{
	for (unsigned i = 0; i < WINDOW_PAGES; i++)
		if (window.from + i * PAGE_SIZE != window.except)
			assert_int_equal(page_entry(window.tree, window.from + i * PAGE_SIZE),
					 window.entry[i]);
	if (window.except != HOLE)
		assert_int_not_equal(entry_of(window.tree, window.except), 0);
}

static void watch(const struct ept *tree, uint64_t from, uint64_t except)
{
	window.tree = tree;
	window.from = from;
	window.except = except;
	for (unsigned i = 0; i < WINDOW_PAGES; i++)
		window.entry[i] = page_entry(tree, from + i * PAGE_SIZE);
	stores = 0;
	after_store = window_is_as_it_was;
}

static phys_t copy(struct ept *tree, uint64_t gpa)
{
	phys_t frame = 0;

	assert_int_equal(ept_copy(tree, at(gpa), &frame), OK);
	assert_int_equal(translate_in(tree, gpa) & ~UINT64_C(0xfff), frame);
	assert_int_equal(entry_of(tree, gpa) & (EPT_PRESENT | EPT_OWN), EPT_PRESENT | EPT_OWN);
	return frame;
}

static void map(uint64_t gpa, phys_t hpa, uint64_t len, uint64_t attr)
{
	assert_int_equal(ept_map(&ept, at(gpa), hpa, len, attr), OK);
}

static void the_largest_pages_that_fit(void **state)
{
	static const struct {
		unsigned leaf_levels;
		uint64_t gpa, hpa, len, probe;
		unsigned want;
	} cases[] = {
		{3, 0, 0, GIB(1), 0, 2},
		{2, 0, 0, GIB(1), 0, 1},
		{1, 0, 0, MIB(4), 0, 0},
		{3, 0, MIB(2), GIB(1), 0, 1},
		{3, MIB(2), MIB(2), GIB(2) - MIB(2), MIB(2), 1},
		{3, MIB(2), MIB(2), GIB(2) - MIB(2), GIB(1), 2},
		{3, KIB(4), KIB(4), MIB(4), KIB(4), 0},
		{3, KIB(4), KIB(4), MIB(4), MIB(2), 1},
		{3, KIB(4), KIB(4), MIB(4), MIB(4), 0},
		{3, 0, KIB(4), MIB(2), 0, 0},
		{3, TOP - GIB(1), GIB(5), GIB(1), TOP - 1, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(N_FRAMES);
		assert_int_equal(ept_init(&ept, cases[i].leaf_levels, EPT_UNLIMITED), OK);
		map(cases[i].gpa, cases[i].hpa, cases[i].len, RX);
		assert_int_equal(level_of(cases[i].probe), cases[i].want);
		for (uint64_t off = 0; off < cases[i].len; off += KIB(4) * 509)
			assert_int_equal(translate(cases[i].gpa + off), cases[i].hpa + off);
		assert_int_equal(translate(cases[i].gpa + cases[i].len - 1),
				 cases[i].hpa + cases[i].len - 1);
		assert_int_equal(translate(cases[i].gpa + cases[i].len), HOLE);
		if (cases[i].gpa > 0)
			assert_int_equal(translate(cases[i].gpa - 1), HOLE);
		/* There was no translation that could become stale. */
		assert_int_equal(ept.generation, 1);
		check_tree(&ept);
		ept_destroy(&ept);
		assert_int_equal(frame_available(), N_FRAMES);
	}
	setup(NULL);
}

static void cow_splits_without_a_gap(void **state)
{
	/* A 1 GiB page that contains the image at the same offset. */
	map(GIB(1), 0, GIB(1), RX);
	assert_int_equal(level_of(GIB(1)), 2);
	uint64_t gpa = GIB(1) + IMAGE + 0x5000, generation = ept.generation;

	watch(&ept, GIB(1) + IMAGE - MIB(2), gpa);
	phys_t frame = copy(&ept, gpa + 0x123);
	assert_int_equal(stores, 3); /* two tables, one leaf */
	assert_true(ept.generation > generation);
	assert_int_equal(words(frame)[0], 1005);
	assert_int_equal(words(frame)[511], 1005);
	assert_int_equal(entry_of(&ept, gpa), frame | RWX | EPT_OWN);

	/* The region is already split: one store. */
	watch(&ept, GIB(1) + IMAGE - MIB(2), gpa + PAGE_SIZE);
	copy(&ept, gpa + PAGE_SIZE);
	assert_int_equal(stores, 1);
	assert_int_equal(level_of(GIB(1) + MIB(600)), 1);
	assert_int_equal(translate(GIB(1) + MIB(600)), MIB(600));
	assert_int_equal(ept.n_owned, 1 + 1 + 2 + 2); /* root, PDPT, split, pages */

	words(frame)[0] = 7;
	assert_int_equal(words(IMAGE + 0x5000)[0], 1005);
}

static void a_copy_of_a_copy_is_the_copy(void **state)
{
	map(0, IMAGE, IMAGE_SIZE, RX);
	phys_t frame = copy(&ept, 0x5000);
	uint64_t generation = ept.generation;

	stores = 0;
	words(frame)[3] = 99;
	assert_int_equal(copy(&ept, 0x5008), frame);
	assert_int_equal(words(frame)[3], 99);
	assert_int_equal(stores, 0);
	assert_int_equal(ept.generation, generation);
}

static void a_copy_keeps_the_memory_type(void **state)
{
	map(0, IMAGE, PAGE_SIZE, EPT_R | EPT_TYPE(0));
	map(0x1000, IMAGE, PAGE_SIZE, EPT_R | EPT_X | EPT_TYPE(6) | BIT(6));
	copy(&ept, 0);
	copy(&ept, 0x1000);
	assert_int_equal(entry_of(&ept, 0) & (EPT_TYPE_MASK | 7), EPT_TYPE(0) | 7);
	assert_int_equal(entry_of(&ept, 0x1000) & (EPT_TYPE_MASK | 7), EPT_TYPE(6) | BIT(6) | 7);
}

static void nothing_beyond_48_bits(void **state)
{
	static const uint64_t beyond[] = {TOP,	   TOP + PAGE_SIZE, BIT(51),
					  BIT(52), BIT(63),	    UINT64_MAX & ~UINT64_C(0xfff)};
	phys_t frame;
	uint64_t old;

	map(0, IMAGE, MIB(2), RX); /* what a wrapped index would find */
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		gpa_t gpa = at(beyond[i]);

		assert_int_equal(ept_map(&ept, gpa, IMAGE, PAGE_SIZE, RX), ERR_RANGE);
		assert_int_equal(ept_map(&ept, gpa, 0, PAGE_SIZE, 0), ERR_RANGE);
		assert_int_equal(ept_map_zero(&ept, gpa, PAGE_SIZE), ERR_RANGE);
		assert_int_equal(ept_copy(&ept, gpa, &frame), ERR_RANGE);
		assert_int_equal(ept_override(&ept, gpa, IMAGE | RWX, &old), ERR_RANGE);
		assert_int_equal(ept_make_tables(&ept, gpa, PAGE_SIZE), ERR_RANGE);
		ept_unseal(&ept, gpa, 0);
		assert_int_equal(ept_give_back(&ept, gpa, 0, IMAGE | RX), 0);
		assert_int_equal(entry_of(&ept, beyond[i]), 0);
	}
	stores = 0;
	assert_int_equal(ept_map(&ept, at(TOP - PAGE_SIZE), IMAGE, 2 * PAGE_SIZE, RX), ERR_RANGE);
	assert_int_equal(ept_map(&ept, at(PAGE_SIZE), IMAGE, TOP, RX), ERR_RANGE);
	assert_int_equal(ept_map(&ept, at(PAGE_SIZE), IMAGE, -PAGE_SIZE, RX), ERR_RANGE);
	assert_int_equal(ept_map_zero(&ept, at(PAGE_SIZE), TOP), ERR_RANGE);
	assert_int_equal(ept_map(&ept, at(0), BIT(52), PAGE_SIZE, RX), ERR_RANGE);
	assert_int_equal(ept_map(&ept, at(0), BIT(52) - PAGE_SIZE, 2 * PAGE_SIZE, RX), ERR_RANGE);
	assert_int_equal(stores, 0);

	map(TOP - PAGE_SIZE, IMAGE, PAGE_SIZE, RX);
	assert_int_equal(words(copy(&ept, TOP - 1))[0], 1000);
	assert_int_equal(translate(TOP - PAGE_SIZE) != HOLE, true);
	assert_int_equal(entry_of(&ept, TOP), 0);
}

static void generation_moves_when_a_present_translation_changed(void **state)
{
	struct {
		uint64_t gpa, hpa, len, attr;
		bool moves;
	} cases[] = {
		{0x1000, 0x9000, PAGE_SIZE, RX, false},		 /* from nothing */
		{0x1000, 0x9000, PAGE_SIZE, RX, false},		 /* the same again */
		{0x1000, 0x9000, PAGE_SIZE, RWX, true},		 /* permission */
		{0x1000, 0xa000, PAGE_SIZE, RWX, true},		 /* address */
		{0x2000, 0xb000, PAGE_SIZE, RX, false},		 /* a neighbor */
		{0x1000, 0, PAGE_SIZE, 0, true},		 /* gone */
		{0x1000, 0, PAGE_SIZE, 0, false},		 /* already gone */
		{0, MIB(2), MIB(2), RX, true},			 /* over a table */
		{0x5000, MIB(2) + 0x5000, PAGE_SIZE, RX, false}, /* splits, without a change */
		{0, 0, GIB(1), 0, true},
		{0, 0, GIB(1), 0, false},
		{0, 0, 0, RX, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t before = ept.generation;

		map(cases[i].gpa, cases[i].hpa, cases[i].len, cases[i].attr);
		assert_int_equal(ept.generation > before, cases[i].moves);
	}
}

static void a_large_page_over_a_table_reclaims_it(void **state)
{
	map(0, 0x9000, PAGE_SIZE, RX);
	map(MIB(2), IMAGE, PAGE_SIZE, RX);
	copy(&ept, MIB(2));
	uint64_t available = frame_available(), owned = ept.n_owned;

	map(0, MIB(4), MIB(4), RX);
	/* Two tables and the page, which are free only after the flush. */
	assert_int_equal(ept.n_retired, 3);
	assert_int_equal(frame_available(), available);
	assert_int_equal(ept.n_owned, owned);
	check_tree(&ept);
	ept_reclaim(&ept);
	assert_int_equal(frame_available(), available + 3);
	assert_int_equal(ept.n_owned, owned - 3);
	ept_reclaim(&ept);
	assert_int_equal(frame_available(), available + 3);
	assert_int_equal(translate(MIB(4) - 1), MIB(8) - 1);
}

static void a_retired_table_is_never_present_where_it_is_chained(void **state)
{
	map(0, 0x9000, MIB(2) - PAGE_SIZE, RX);
	map(MIB(2), 0x9000, PAGE_SIZE, RX);
	map(0, 0, MIB(4), 0);
	unsigned n = 0;

	for (phys_t frame = ept.retired; frame != 0; frame = words(frame)[0], n++)
		assert_int_equal(words(frame)[0] & EPT_PRESENT, 0);
	assert_int_equal(n, 2);
}

static void unmapping_a_hole_takes_no_frames(void **state)
{
	uint64_t available = frame_available();

	map(0, 0, TOP, 0);
	map(0x7000, 0, PAGE_SIZE, 0);
	map(TOP - PAGE_SIZE, 0, PAGE_SIZE, 0);
	assert_int_equal(frame_available(), available);
	assert_int_equal(stores, 0);
}

static void unmapping_takes_out_what_it_says(void **state)
{
	static const struct {
		uint64_t gpa, len;
	} cases[] = {
		{0, MIB(6)},
		{0x5000, PAGE_SIZE},
		{0x5000, MIB(3)},
		{MIB(2), MIB(2)},
		{MIB(2) - PAGE_SIZE, 0x2000},
		{MIB(3), GIB(3)},
		{0, TOP},
		{MIB(6) - PAGE_SIZE, GIB(512)},
		{0x5000, TOP - 0x5000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		map(0, GIB(4), MIB(6), RX);
		map(cases[i].gpa, 0, cases[i].len, 0);
		for (uint64_t gpa = 0; gpa < MIB(6); gpa += PAGE_SIZE) {
			bool gone = gpa >= cases[i].gpa && gpa - cases[i].gpa < cases[i].len;

			assert_int_equal(translate(gpa), gone ? HOLE : GIB(4) + gpa);
		}
		check_tree(&ept);
		ept_reclaim(&ept);
	}
}

static void zeros_cost_nothing_until_written(void **state)
{
	uint64_t available = frame_available();

	/* Not aligned to 2 MiB at either end, with more than a TiB between. */
	assert_int_equal(ept_map_zero(&ept, at(GIB(1) - 0x3000), BIT(40) + 0x5000), OK);
	assert_true(available - frame_available() <= 3 + 6);
	static const uint64_t probes[] = {GIB(1) - 0x3000, GIB(1), GIB(1) + MIB(2) + 0x1000,
					  GIB(700) + 0x12345000, GIB(1) + BIT(40) + 0x1000};

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		uint64_t entry = entry_of(&ept, probes[i]);

		assert_int_equal(entry & ~EPT_ADDR, EPT_FRESH | EPT_TYPE(6)); /* not present */
		for (unsigned w = 0; w < 512; w++)
			assert_int_equal(words(entry & EPT_ADDR)[w], 0);
	}
	assert_int_equal(translate(GIB(1) - 0x4000), HOLE);
	assert_int_equal(translate(GIB(1) + BIT(40) + 0x2000), HOLE);

	uint64_t gpa = GIB(700) + 0x12345000;

	watch(&ept, gpa - MIB(3), gpa);
	phys_t frame = copy(&ept, gpa);
	/* The PDPT is own; PD and PT are made. */
	assert_int_equal(stores, 3);
	for (unsigned w = 0; w < 512; w++)
		assert_int_equal(words(frame)[w], 0);
	memset(words(frame), 0xff, PAGE_SIZE);
	after_store = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i] != gpa)
			assert_int_equal(words(translate(probes[i]))[9], 0);
	/* A used frame does not show through as a zero page. */
	map(gpa, IMAGE, PAGE_SIZE, RX);
	ept_reclaim(&ept);
	phys_t again = copy(&ept, gpa + PAGE_SIZE);

	assert_int_equal(again, frame);
	for (unsigned w = 0; w < 512; w++)
		assert_int_equal(words(frame)[w], 0);
}

static void zeros_are_two_frames_and_shared(void **state)
{
	struct ept other;

	assert_int_equal(frame_total(), N_FRAMES + EPT_ZERO_LEVELS);
	assert_int_equal(ept_init(&other, 1, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map_zero(&ept, at(0), MIB(2)), OK);
	assert_int_equal(ept_map_zero(&other, at(GIB(9)), GIB(1)), OK);
	assert_int_equal(translate(0), translate_in(&other, GIB(9)));
	ept_destroy(&other);
	start(0);
	frame_reset();
	frame_add_range(FRAMES, PAGE_SIZE);
	assert_int_equal(ept_setup(), ERR_NOMEM);
	assert_int_equal(frame_available(), 1);
	setup(NULL);
}

static void override_gives_one_page_and_puts_it_back(void **state)
{
	uint64_t old = 0, scratch = 0, gpa = MIB(2) + 0x7000;

	map(0, IMAGE, IMAGE_SIZE, RX);
	uint64_t generation = ept.generation;

	watch(&ept, 0, gpa);
	assert_int_equal(ept_override(&ept, at(gpa), 0x9000 | RWX, &old), OK);
	assert_int_equal(stores, 2);
	assert_int_equal(old, (IMAGE + gpa) | RX);
	assert_int_equal(entry_of(&ept, gpa), 0x9000 | RWX);
	assert_int_equal(ept.generation, generation + 1);
	assert_int_equal(ept_override(&ept, at(gpa), old, &scratch), OK);
	assert_int_equal(scratch, 0x9000 | RWX);
	assert_int_equal(ept.generation, generation + 2);
	assert_int_equal(translate(gpa), IMAGE + gpa);

	/* A hole has no old leaf, and no TLB holds it. */
	assert_int_equal(ept_override(&ept, at(GIB(9)), 0x9000 | RWX, &old), OK);
	assert_int_equal(old, 0);
	assert_int_equal(ept.generation, generation + 2);
	assert_int_equal(ept_override(&ept, at(GIB(9)), 0, &scratch), OK);
	assert_int_equal(translate(GIB(9)), HOLE);
}

static void override_refuses_an_own_page(void **state)
{
	uint64_t old = 5;

	map(0, IMAGE, MIB(2), RX);
	phys_t frame = copy(&ept, 0x3000);

	assert_int_equal(ept_override(&ept, at(0x3000), 0x9000 | RWX, &old), ERR_INVAL);
	assert_int_equal(old, 5);
	assert_int_equal(translate(0x3000), frame);
}

static void copy_of_nothing_is_refused(void **state)
{
	phys_t frame = 5;

	assert_int_equal(ept_copy(&ept, at(0x3000), &frame), ERR_NOTFOUND);
	assert_int_equal(frame, 5);
}

static void a_clone_takes_no_frame_and_never_writes_its_template(void **state)
{
	struct ept clone, second;
	struct ept_layer *layer;

	map(0, IMAGE, IMAGE_SIZE, RX);
	words(copy(&ept, 0x5000))[1] = 55;
	phys_t template_page = translate(0x5000);

	assert_int_equal(freeze_tree(&ept, &layer), OK);
	check_layer(layer);
	uint64_t available = frame_available();

	ept_clone(&clone, layer, EPT_UNLIMITED);
	ept_clone(&second, layer, EPT_UNLIMITED);
	assert_int_equal(frame_available(), available);
	assert_int_equal(clone.n_owned, 0);
	assert_true(clone.generation != 0);
	for (uint64_t gpa = 0; gpa < IMAGE_SIZE; gpa += PAGE_SIZE) {
		assert_int_equal(entry_of(&clone, gpa) & (EPT_W | EPT_OWN), 0);
		assert_int_equal(translate_in(&clone, gpa), translate(gpa));
	}
	assert_int_equal(translate_in(&clone, 0x5000), template_page);

	/* Copy the path: three tables, the first of which processors find by 'top', and the page.
	 */
	uint64_t generation = clone.generation;

	watch(&clone, 0, 0x5000);
	phys_t frame = copy(&clone, 0x5000);

	assert_int_equal(stores, 4);
	assert_true((clone.top & EPT_OWN) && clone.generation > generation);
	assert_int_equal(clone.root, layer->root);
	assert_int_equal(words(frame)[1], 55);
	words(frame)[1] = 66;
	assert_int_equal(words(template_page)[1], 55);
	assert_int_equal(translate_in(&second, 0x5000), template_page);
	assert_int_equal(clone.n_owned, 4);
	check_tree(&clone);
	check_layer(layer);

	/* The frozen VM continues as a clone of itself. */
	watch(&ept, 0, 0x5000);
	words(copy(&ept, 0x5000))[1] = 77;
	assert_int_equal(words(template_page)[1], 55);
	assert_int_equal(words(frame)[1], 66);
	after_store = NULL;
	ept_destroy(&clone);
	ept_destroy(&second);
	ept_layer_put(layer);
}

static void clones_of_clones_keep_their_ancestors_alive(void **state)
{
	struct ept tree[4];
	struct ept_layer *layer[3];

	map(0, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < 3; i++) {
		struct ept *from = i == 0 ? &ept : &tree[i - 1];

		words(copy(from, i * 0x1000))[2] = 100 + i;
		words(copy(from, MIB(2)))[2] = 200 + i;
		assert_int_equal(freeze_tree(from, &layer[i]), OK);
		ept_clone(&tree[i], layer[i], EPT_UNLIMITED);
	}
	for (unsigned i = 0; i < 3; i++)
		ept_layer_put(layer[i]);
	ept_destroy(&ept);
	ept_destroy(&tree[1]);
	ept_destroy(&tree[0]);

	/* Only the last layer is left. It has what it inherited from each. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(words(translate_in(&tree[2], i * 0x1000))[2], 100 + i);
	assert_int_equal(words(translate_in(&tree[2], MIB(2)))[2], 202);
	assert_int_equal(words(translate_in(&tree[2], 0x9000))[0], 1009);
	check_tree(&tree[2]);
	ept_destroy(&tree[2]);
	assert_int_equal(frame_available(), N_FRAMES);
	setup(NULL);
}

static void a_layer_is_freed_in_pieces(void **state)
{
	struct ept_layer *layer;
	uint64_t available;
	unsigned n_pieces = 0;

	map(0, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < 20; i++)
		copy(&ept, i * 0x1000);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_destroy(&ept);
	available = frame_available();
	while (ept_layer_free_some(layer, 3)) {
		assert_true(frame_available() <= available + 3);
		available = frame_available();
		n_pieces++;
	}
	assert_true(n_pieces > 2 * 20 / 3);
	assert_false(ept_layer_free_some(layer, 3));
	ept_layer_put(layer);
	assert_int_equal(frame_available(), N_FRAMES);
	setup(NULL);
}

/* A clone that is frozen before it writes has the layer of its template. */
static void a_layer_of_two_templates_outlives_the_first(void **state)
{
	struct ept_layer *layer, *same;
	struct ept clone;

	map(0, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < 20; i++)
		words(copy(&ept, i * 0x1000))[0] = i;
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(freeze_tree(&clone, &same), OK);
	assert_ptr_equal(same, layer);
	ept_destroy(&clone);
	assert_false(ept_layer_free_some(same, 3));
	ept_layer_put(same);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(words(translate_in(&ept, i * 0x1000))[0], i);
	ept_destroy(&ept);
	while (ept_layer_free_some(layer, 3))
		;
	ept_layer_put(layer);
	assert_int_equal(frame_available(), N_FRAMES);
	setup(NULL);
}

static phys_t visited[N_FRAMES];
static unsigned n_visited;

static void visit(void *context, phys_t frame)
{
	for (unsigned i = 0; i < n_visited; i++)
		assert_int_not_equal(visited[i], frame);
	visited[n_visited++] = frame;
}

/* Some at a time, each once: tables, pages and log; not what is below the layer. */
static void a_layers_frames_are_visited_in_pieces(void **state)
{
	struct ept_layer *layer;
	struct ept_layer_cursor cursor = {0};
	unsigned n_pieces = 1, before = 0;

	map(0, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < 20; i++)
		copy(&ept, i * 0x1000);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	assert_true(layer->log.chunk != 0);
	n_visited = 0;
	for (; ept_layer_each(layer, &cursor, 3, visit, NULL); n_pieces++) {
		assert_true(n_visited <=
			    before + 3 + 2 * (before == 0)); /* root and log, at first */
		before = n_visited;
	}
	assert_true(n_pieces > 20 / 3);
	assert_int_equal(n_visited, layer->n_owned);
	for (unsigned i = 0; i < n_visited; i++)
		assert_true(visited[i] >= FRAMES && visited[i] != ept_zero_frame());
	ept_layer_put(layer);
}

static void a_fault_does_not_cost_more_in_deeper_clones(void **state)
{
	struct ept tree[6];
	struct ept_layer *layer;

	map(0, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < 6; i++) {
		struct ept *from = i == 0 ? &ept : &tree[i - 1];

		copy(from, 0x5000);
		assert_int_equal(freeze_tree(from, &layer), OK);
		ept_clone(&tree[i], layer, EPT_UNLIMITED);
		ept_layer_put(layer);
		watch(&tree[i], 0, 0x5000);
		copy(&tree[i], 0x5000);
		assert_int_equal(stores, 4);
		copy(&tree[i], 0x5000);
		assert_int_equal(stores, 4);
		assert_int_equal(tree[i].n_owned, 4);
		after_store = NULL;
	}
	for (unsigned i = 0; i < 6; i++)
		ept_destroy(&tree[i]);
}

/* The latest pages first. What is left is a sound tree after each piece, and little in the end. */
static void a_large_tree_is_freed_in_pieces(void **state)
{
	enum { MANY = 500, N_WRITTEN = 450 };
	unsigned n_pieces = 0;
	uint64_t owned, last = IMAGE + (N_WRITTEN - 1) * 7 % 1024 * PAGE_SIZE;

	start(MANY);
	assert_int_equal(ept_init(&ept, 1, EPT_UNLIMITED), OK);
	map(IMAGE, IMAGE, IMAGE_SIZE, RX);
	for (unsigned i = 0; i < N_WRITTEN; i++)
		copy(&ept, IMAGE + i * 7 % 1024 * PAGE_SIZE);
	for (owned = ept.n_owned; ept_free_some(&ept); owned = ept.n_owned) {
		assert_in_range(owned - ept.n_owned, 1, 256);
		assert_int_equal(frame_available(), MANY - ept.n_owned);
		assert_int_equal(translate(last), HOLE);
		check_tree(&ept);
		n_pieces++;
	}
	assert_int_equal(n_pieces, 2);
	assert_in_range(ept.n_owned, 1, 8);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), MANY);
	setup(NULL);
}

static void reset_goes_back_and_gives_back(void **state)
{
	struct ept clone;
	struct ept_layer *layer;

	map(0, IMAGE, IMAGE_SIZE, RX);
	words(copy(&ept, 0x5000))[1] = 55;
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, 5);
	uint64_t available = frame_available();

	for (unsigned round = 0; round < 3; round++) {
		uint64_t generation = clone.generation;

		words(copy(&clone, 0x5000))[1] = 66;
		copy(&clone, 0x6000);
		phys_t frame;

		assert_int_equal(ept_copy(&clone, at(0x7000), &frame), ERR_NOMEM); /* the limit */
		ept_reset(&clone);
		assert_true(clone.generation > generation);
		assert_int_equal(clone.root, layer->root);
		for (uint64_t gpa = 0; gpa < IMAGE_SIZE; gpa += PAGE_SIZE)
			assert_int_equal(translate_in(&clone, gpa), translate(gpa));
		assert_int_equal(words(translate_in(&clone, 0x5000))[1], 55);
		check_tree(&clone);
		assert_int_equal(clone.n_owned, 0);
		assert_int_equal(frame_available(), available);
		ept_reset(&clone); /* nothing to do */
	}
	ept_destroy(&clone);
	ept_layer_put(layer);
}

/* A clone of a tree that has an image. Ends with end_clone(). */
static struct ept_layer *start_clone(struct ept *clone, uint64_t max_owned)
{
	struct ept_layer *layer;

	map(0, IMAGE, IMAGE_SIZE, RX);
	assert_int_equal(ept_map_zero(&ept, at(GIB(1)), MIB(2)), OK);
	words(copy(&ept, 0x5000))[1] = 55;
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(clone, layer, max_owned);
	return layer;
}

static void end_clone(struct ept *clone, struct ept_layer *layer)
{
	check_tree(clone);
	ept_destroy(clone);
	check_layer(layer);
	ept_layer_put(layer);
}

static void is_as_below(const struct ept *clone)
{
	for (uint64_t gpa = 0; gpa < IMAGE_SIZE; gpa += PAGE_SIZE)
		assert_int_equal(page_entry(clone, gpa), page_entry(&ept, gpa));
	assert_int_equal(words(translate_in(clone, 0x5000))[1], 55);
	assert_int_equal(entry_of(clone, GIB(1)), entry_of(&ept, GIB(1)));
	check_tree(clone);
}

/* The next write then needs a frame for its page only, and so does each one after it. */
static void reset_keeps_tables(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	uint64_t available = frame_available();

	for (unsigned round = 0; round < 5; round++) {
		uint64_t generation = clone.generation;

		words(copy(&clone, 0x5000))[1] = 66;
		copy(&clone, 0x6000);
		copy(&clone, GIB(1));
		/* Five tables, three pages, and a frame of the log. */
		assert_int_equal(clone.n_owned, 9);
		ept_reset(&clone);
		assert_int_not_equal(clone.generation, generation);
		is_as_below(&clone);
		assert_true(ept_owns_tables(&clone));
		assert_int_equal(clone.n_owned, 6);
		assert_int_equal(frame_available(), available - 6);
		assert_int_equal(clone.log.n_chunks, 1);
	}
	ept.generation = clone.generation;
	ept_reset(&clone); /* nothing to do */
	assert_int_equal(clone.generation, ept.generation);
	end_clone(&clone, layer);
}

/* Merged pages, and discarded ones, are as they were before they became own. */
static void reset_takes_merged_pages_back(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);

	for (unsigned round = 0; round < 2; round++) {
		phys_t frame = copy(&clone, 0x5000);

		ept_seal(&clone, at(0x5000));
		assert_int_equal(ept_give_back(&clone, at(0x5000), frame, ept_zero_frame() | RX),
				 frame);
		frame_free(frame);
		copy(&clone, 0x6000);
		frame_free(ept_discard(&clone, at(0x6000)));
		assert_int_equal(merged_count().sharing, 2);
		ept_reset(&clone);
		assert_int_equal(merged_count().sharing, 0);
		assert_true(ept_owns_tables(&clone));
		is_as_below(&clone);
	}
	end_clone(&clone, layer);
}

/* A page beside those that are written in order gets its frame in advance again. */
static void memory_is_fresh_again_after_a_reset(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);

	for (unsigned round = 0; round < 2; round++) {
		copy(&clone, GIB(1));
		copy(&clone, GIB(1) + PAGE_SIZE);
		ept_fill_around(&clone, at(GIB(1) + PAGE_SIZE), at(GIB(1)), at(GIB(1) + MIB(2)));
		assert_true(entry_of(&clone, GIB(1) + 2 * PAGE_SIZE) & EPT_OWN);
		assert_false(entry_of(&clone, GIB(1) + 3 * PAGE_SIZE) & EPT_OWN);
		check_tree(&clone);
		ept_reset(&clone);
		assert_true(ept_owns_tables(&clone));
		is_as_below(&clone);
	}
	end_clone(&clone, layer);
}

/* A clone that is frozen after a reset: its tables are a layer, and can be a clone's in turn. */
static void kept_tables_can_be_frozen(void **state)
{
	struct ept clone, second;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED), *upper;

	copy(&clone, 0x5000);
	copy(&clone, 0x6000);
	ept_reset(&clone);
	words(copy(&clone, 0x6000))[1] = 77;
	assert_int_equal(freeze_tree(&clone, &upper), OK);
	check_layer(upper);
	ept_clone(&second, upper, EPT_UNLIMITED);
	assert_int_equal(words(translate_in(&second, 0x5000))[1], 55);
	copy(&second, 0x5000);
	copy(&second, 0x6000);
	ept_reset(&second);
	assert_true(ept_owns_tables(&second));
	assert_int_equal(words(translate_in(&second, 0x5000))[1], 55);
	assert_int_equal(words(translate_in(&second, 0x6000))[1], 77);
	check_tree(&second);
	ept_destroy(&second);
	ept_layer_put(upper);
	end_clone(&clone, layer);
}

static void remap_by_map(struct ept *clone)
{
	assert_int_equal(ept_map(clone, at(0x8000), IMAGE, PAGE_SIZE, RWX), OK);
}

static void remap_by_hole(struct ept *clone)
{
	assert_int_equal(ept_map(clone, at(0), 0, MIB(2), 0), OK);
}

static void remap_by_override(struct ept *clone)
{
	uint64_t old;

	assert_int_equal(ept_override(clone, at(0x8000), IMAGE | RWX, &old), OK);
}

/* What the log does not tell is undone as well: with all tables. */
static void reset_undoes_other_changes(void **state)
{
	static void (*const remap[])(struct ept * clone) = {remap_by_map, remap_by_hole,
							    remap_by_override};
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);

	for (size_t i = 0; i < ARRAY_SIZE(remap); i++) {
		copy(&clone, 0x5000);
		remap[i](&clone);
		ept_reset(&clone);
		is_as_below(&clone);
		assert_int_equal(clone.n_owned, 0);
		copy(&clone, 0x5000);
		ept_reset(&clone);
		assert_true(ept_owns_tables(&clone)); /* it keeps them again */
		is_as_below(&clone);
	}
	end_clone(&clone, layer);
}

/* Instructions that write to ROM have a scratch page for a moment; the log still has the slot. */
static void a_returned_page_can_be_overridden(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	uint64_t before, old;

	copy(&clone, 0x5000);
	ept_reset(&clone);
	before = entry_of(&clone, 0x5000);
	assert_int_equal(ept_override(&clone, at(0x5000), IMAGE | RWX, &old), OK);
	assert_int_equal(old, before);
	assert_int_equal(entry_of(&clone, 0x5000), IMAGE | RWX);
	assert_int_equal(ept_override(&clone, at(0x5000), old, &old), OK);
	ept_trim(&clone);
	copy(&clone, 0x5000);
	end_clone(&clone, layer); /* counts the log's items */
}

/* By its limit, and by what the last time had no use for. */
static void reset_keeps_few_tables(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, 64 * 3);

	copy(&clone, 0x5000);
	ept_reset(&clone);
	assert_int_equal(clone.n_owned, 3);
	copy(&clone, 0x5000);
	copy(&clone, GIB(1)); /* two more tables */
	ept_reset(&clone);
	assert_int_equal(clone.n_owned, 0);
	is_as_below(&clone);
	clone.max_owned = EPT_UNLIMITED;
	for (unsigned i = 0; i < 75; i++) {
		copy(&clone, i * PAGE_SIZE);
		ept_reset(&clone);
		/* Three items of tables, those of pages, of which one has been used. */
		assert_int_equal(ept_owns_tables(&clone), 3 + i <= 64 + 4);
		is_as_below(&clone);
		if (!ept_owns_tables(&clone))
			break;
	}
	assert_false(ept_owns_tables(&clone));
	end_clone(&clone, layer);
}

/* Few tables stay even then: a VM that waits for memory is reverted to free some. */
static void reset_keeps_few_tables_while_frames_are_scarce(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	phys_t taken[N_FRAMES];
	unsigned n = 0;

	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(ept_make_tables(&clone, at(0), round * MIB(30)), OK);
		copy(&clone, 0x5000);
		while (!frame_is_scarce() && (taken[n] = frame_alloc()) != 0)
			n++;
		ept_reset(&clone);
		assert_int_equal(clone.n_owned, round == 0 ? 3 : 0);
		is_as_below(&clone);
		while (n > 0)
			frame_free(taken[--n]);
	}
	end_clone(&clone, layer);
}

/* For a loop that writes the same pages each time: no frame, no exit and no flush. */
static void restore_keeps_pages(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	static const uint64_t written[] = {0x5000, 0x6000, GIB(1)};
	uint64_t generation = 0, owned = 0;

	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(written); i++)
			memset(words(copy(&clone, written[i])), 0x66, PAGE_SIZE);
		if (round > 0) {
			assert_int_equal(clone.generation, generation);
			assert_int_equal(clone.n_owned, owned);
		}
		generation = clone.generation;
		owned = clone.n_owned;
		assert_true(ept_restore(&clone, owned, false));
		assert_int_equal(words(translate_in(&clone, 0x5000))[1], 55);
		for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
			assert_int_equal(entry_of(&clone, written[i]) & (EPT_OWN | RWX),
					 EPT_OWN | RWX);
			assert_memory_equal(words(translate_in(&clone, written[i])),
					    words(translate(written[i]) & ~(PAGE_SIZE - 1)),
					    PAGE_SIZE);
		}
		check_tree(&clone);
	}
	ept_reset(&clone);
	is_as_below(&clone);
	end_clone(&clone, layer);
}

static void restore_takes_merged_pages_back(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	phys_t frame = copy(&clone, 0x5000);
	uint64_t generation;

	ept_seal(&clone, at(0x5000));
	assert_int_equal(ept_give_back(&clone, at(0x5000), frame, ept_zero_frame() | RX), frame);
	frame_free(frame);
	copy(&clone, 0x6000);
	frame_free(ept_discard(&clone, at(0x6000)));
	generation = clone.generation;
	assert_true(ept_restore(&clone, EPT_UNLIMITED, false));
	assert_int_not_equal(clone.generation, generation);
	assert_int_equal(merged_count().sharing, 0);
	is_as_below(&clone);
	end_clone(&clone, layer);
}

static void may_not_stay(struct ept *clone, uint64_t max_owned)
{
	assert_false(ept_restore(clone, max_owned, false));
	is_as_below(clone);
}

static void restore_is_a_reset_where_pages_may_not_stay(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	phys_t taken[N_FRAMES];
	unsigned n = 0;

	may_not_stay(&clone, EPT_UNLIMITED); /* there is none */
	copy(&clone, 0x5000);
	may_not_stay(&clone, clone.n_owned - 1);
	copy(&clone, 0x5000);
	remap_by_map(&clone);
	may_not_stay(&clone, EPT_UNLIMITED);
	copy(&clone, 0x5000);
	clone.max_owned = 2 * clone.n_owned - 1;
	may_not_stay(&clone, EPT_UNLIMITED);
	copy(&clone, 0x5000);
	clone.max_owned = 2 * clone.n_owned;
	assert_true(ept_restore(&clone, EPT_UNLIMITED, false));
	while (!frame_is_scarce() && (taken[n] = frame_alloc()) != 0)
		n++;
	may_not_stay(&clone, EPT_UNLIMITED);
	while (n > 0)
		frame_free(taken[--n]);
	end_clone(&clone, layer);
}

/* A loop that has come to leave some pages as they are does not keep them for ever. */
static void restore_trims_what_has_not_changed(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	uint64_t generation, owned;

	words(copy(&clone, 0x5000))[511] = 66;
	words(copy(&clone, 0x6000))[0] = 66;
	words(copy(&clone, GIB(1)))[1] = 66;
	owned = clone.n_owned;
	assert_true(ept_restore(&clone, EPT_UNLIMITED, true));
	assert_int_equal(clone.n_owned, owned); /* all were changed */
	words(copy(&clone, 0x5000))[511] = 66;
	generation = clone.generation;
	assert_true(ept_restore(&clone, EPT_UNLIMITED, true));
	assert_int_not_equal(clone.generation, generation);
	assert_int_equal(clone.n_owned, owned - 2);
	assert_true(entry_of(&clone, 0x5000) & EPT_OWN);
	assert_int_equal(entry_of(&clone, 0x6000), entry_of(&ept, 0x6000));
	assert_int_equal(entry_of(&clone, GIB(1)), entry_of(&ept, GIB(1)));
	assert_true(ept_restore(&clone, EPT_UNLIMITED, true));
	is_as_below(&clone);
	end_clone(&clone, layer);
}

/* Nor does its log grow by them. */
static void restore_is_a_reset_after_many_other_pages(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	unsigned n = 0;

	do {
		n++;
		words(copy(&clone, n * PAGE_SIZE))[1] = n;
	} while (ept_restore(&clone, EPT_UNLIMITED, true));
	assert_in_range(n, EPT_LOG_CHUNK_ITEMS, 2 * EPT_LOG_CHUNK_ITEMS);
	is_as_below(&clone);
	assert_int_equal(clone.n_owned, 0);
	end_clone(&clone, layer);
}

static void processors_learn_of_the_first_table(void **state)
{
	struct ept clone;
	struct ept_layer *layer;
	uint64_t old;

	map(0, IMAGE, IMAGE_SIZE, RX);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	for (unsigned i = 0; i < 3; i++) {
		ept_clone(&clone, layer, EPT_UNLIMITED);
		uint64_t generation = clone.generation;

		/* None of these changes a present translation. */
		if (i == 0)
			assert_int_equal(ept_map(&clone, at(GIB(5)), IMAGE, PAGE_SIZE, RX), OK);
		else if (i == 1)
			assert_int_equal(ept_map(&clone, at(0x3000), IMAGE + 0x3000, PAGE_SIZE, RX),
					 OK);
		else
			assert_int_equal(ept_override(&clone, at(GIB(5)), IMAGE | RX, &old), OK);
		assert_true(clone.top & EPT_OWN);
		assert_true(clone.generation > generation);
		ept_destroy(&clone);
	}
	ept_layer_put(layer);
}

static void no_copy_beside(struct ept *tree, uint64_t gpa)
{
	uint64_t entry = entry_of(tree, gpa), generation = tree->generation, n = tree->n_owned;

	assert_false(ept_copy_beside(tree, at(gpa)));
	assert_int_equal(entry_of(tree, gpa), entry);
	assert_int_equal(tree->generation, generation);
	assert_int_equal(tree->n_owned, n);
	check_tree(tree);
}

/* The first copy of a page, and only where no table is to be made. */
static void a_page_is_copied_beside_others(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, 8);
	uint64_t generation;

	no_copy_beside(&clone, 0x5000); /* no own table */
	copy(&clone, 0x6000);
	generation = clone.generation;
	assert_true(ept_copy_beside(&clone, at(0x5000)));
	assert_true(clone.generation > generation);
	assert_true(entry_of(&clone, 0x5000) & EPT_OWN);
	assert_int_equal(words(translate_in(&clone, 0x5000))[1], 55);
	check_tree(&clone);
	no_copy_beside(&clone, 0x5000); /* it is own */
	ept_seal(&clone, at(0x5000));
	assert_false(ept_copy_beside(&clone, at(0x5000)));
	copy(&clone, 0x5000);
	no_copy_beside(&clone, GIB(1));	  /* other tables */
	no_copy_beside(&clone, GIB(2));	  /* nothing is mapped */
	no_copy_beside(&clone, GIB(512)); /* nor there */
	no_copy_beside(&clone, BIT(EPT_GPA_BITS));
	assert_int_equal(ept_map(&clone, at(0x7000), IMAGE, PAGE_SIZE, RX | EPT_W), OK);
	no_copy_beside(&clone, 0x7000); /* shared memory */
	assert_true(ept_copy_beside(&clone, at(0x8000)));
	assert_true(ept_copy_beside(&clone, at(0x9000)));
	no_copy_beside(&clone, 0xa000); /* the limit, with a frame of the log, is reached */
	end_clone(&clone, layer);
}

/* Fresh memory has no translation that a processor could keep. */
static void a_fresh_page_is_copied_beside_others(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);
	uint64_t generation;

	copy(&clone, GIB(1));
	generation = clone.generation;
	assert_true(ept_copy_beside(&clone, at(GIB(1) + PAGE_SIZE)));
	assert_int_equal(clone.generation, generation);
	assert_true(entry_of(&clone, GIB(1) + PAGE_SIZE) & EPT_OWN);
	end_clone(&clone, layer);
}

/* Memory that no processor finds by the first entry of the root. */
#define FAR (GIB(512) + 0x3000)

/* What is written below FAR stays where it is, in a tree that moves to a root of its own. */
static void a_clone_gets_a_root_for_other_entries(void **state)
{
	struct ept clone, second;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED), *upper;
	uint64_t generation;

	words(copy(&clone, 0x5000))[1] = 66;
	assert_false(clone.owns_root);
	generation = clone.generation;
	assert_int_equal(ept_map(&clone, at(FAR), IMAGE, PAGE_SIZE, RX), OK);
	assert_true(clone.owns_root && clone.root != layer->root);
	assert_true(clone.generation > generation);
	assert_int_equal(words(translate_in(&clone, 0x5000))[1], 66);
	check_tree(&clone);
	copy(&clone, 0x6000);
	check_tree(&clone);
	/* So its clones cannot do without. */
	assert_int_equal(freeze_tree(&clone, &upper), OK);
	check_layer(upper);
	assert_false(upper->is_narrow);
	ept_clone(&second, upper, EPT_UNLIMITED);
	copy(&second, 0x5000);
	assert_true(second.owns_root);
	assert_int_equal(words(translate_in(&second, 0x5000))[1], 66);
	check_tree(&second);
	ept_reset(&second);
	check_tree(&second);
	ept_destroy(&second);
	ept_layer_put(upper);
	ept_reset(&clone);
	assert_int_equal(translate_in(&clone, FAR), IMAGE);
	end_clone(&clone, layer);
}

/* Where processors use the layer's root, its entries cannot be replaced. */
static void a_clone_gets_a_root_to_unmap_all(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, EPT_UNLIMITED);

	for (unsigned round = 0; round < 2; round++) {
		if (round > 0)
			copy(&clone, 0x5000);
		assert_int_equal(ept_map(&clone, at(0), 0, GIB(512), 0), OK);
		assert_true(clone.owns_root);
		assert_int_equal(clone.top, 0);
		assert_int_equal(entry_of(&clone, 0x5000), 0);
		check_tree(&clone);
		ept_reclaim(&clone);
		ept_reset(&clone);
		is_as_below(&clone);
		assert_false(clone.owns_root);
	}
	end_clone(&clone, layer);
}

static void a_root_that_finds_no_frame_changes_nothing(void **state)
{
	struct ept clone;
	struct ept_layer *layer = start_clone(&clone, 4), *upper;
	phys_t taken[N_FRAMES];
	unsigned n = 0;

	words(copy(&clone, 0x5000))[1] = 66;
	assert_int_equal(ept_map(&clone, at(FAR), IMAGE, PAGE_SIZE, RX), ERR_NOMEM);
	assert_false(clone.owns_root);
	/* The limit does not count for a freeze, which needs a frame for the layer, too. */
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	assert_int_equal(ept_freeze(&clone, &upper), ERR_NOMEM);
	frame_free(taken[--n]);
	assert_int_equal(ept_freeze(&clone, &upper), ERR_NOMEM);
	assert_false(clone.owns_root);
	check_tree(&clone);
	assert_int_equal(words(translate_in(&clone, 0x5000))[1], 66);
	while (n > 0)
		frame_free(taken[--n]);
	assert_int_equal(freeze_tree(&clone, &upper), OK);
	check_layer(upper);
	assert_int_equal(words(translate_in(&clone, 0x5000))[1], 66);
	ept_layer_put(upper);
	end_clone(&clone, layer);
}

static void freezing_an_unchanged_clone_makes_no_layer(void **state)
{
	struct ept clone;
	struct ept_layer *layer, *again;

	map(0, IMAGE, IMAGE_SIZE, RX);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	uint64_t available = frame_available(), generation = clone.generation;

	assert_int_equal(freeze_tree(&clone, &again), OK);
	assert_ptr_equal(again, layer);
	assert_int_equal(frame_available(), available);
	assert_int_equal(clone.generation, generation);
	ept_layer_put(again);
	ept_layer_put(layer);
	ept_destroy(&clone);
}

/* Processors know a layer by its number: frames are used again. */
static void each_layer_has_a_number_of_its_own(void **state)
{
	struct ept clone;
	struct ept_layer *layer, *upper;
	uint64_t serial;
	phys_t frame;

	map(0, IMAGE, IMAGE_SIZE, RX);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	assert_int_not_equal(layer->serial, 0);
	serial = layer->serial;
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(ept_copy(&clone, (gpa_t){0}, &frame), OK);
	assert_int_equal(freeze_tree(&clone, &upper), OK);
	assert_true(upper->serial > serial);
	assert_int_equal(layer->serial, serial);
	ept_layer_put(upper);
	ept_layer_put(layer);
	ept_destroy(&clone);
}

static void a_freeze_keeps_what_waits_for_the_flush(void **state)
{
	struct ept_layer *layer;

	map(0, 0x9000, PAGE_SIZE, RX);
	map(0, IMAGE, MIB(2), RX);
	assert_int_equal(ept.n_retired, 1);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	check_layer(layer);
	assert_int_equal(ept.n_owned, 1);
	ept_reclaim(&ept);
	assert_int_equal(ept.n_owned, 0);
	ept_layer_put(layer);
}

/* By some frames at a time: however many, the sum is the same. */
static uint64_t checksum(struct ept_layer *layer)
{
	struct ept_layer_sum whole = {0};

	assert_false(ept_layer_sum_some(layer, &whole, UINT32_MAX));
	assert_true(whole.is_complete);
	for (unsigned n = 1; n < 30; n += 7) {
		struct ept_layer_sum sum = {0};

		while (ept_layer_sum_some(layer, &sum, n))
			assert_false(sum.is_complete);
		assert_true(sum.value == whole.value);
		assert_false(ept_layer_sum_some(layer, &sum, n));
		assert_true(sum.value == whole.value);
	}
	return whole.value;
}

static void a_layers_checksum_is_of_its_own_frames(void **state)
{
	struct ept_layer *layer;
	struct ept clone;
	phys_t own, copy;
	uint64_t sum, *word;

	map(0, IMAGE, IMAGE_SIZE, RX);
	assert_int_equal(ept_copy(&ept, at(0x3000), &own), OK);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	sum = checksum(layer);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(ept_copy(&clone, at(0x3000), &copy), OK);
	*(uint64_t *)phys_to_virt(copy) += 1;
	assert_true(checksum(layer) == sum);
	word = (uint64_t *)phys_to_virt(own) + 5;
	for (unsigned bit = 0; bit < 64; bit++) {
		*word ^= BIT(bit);
		/* Accessed and dirty flags are ignored. */
		assert_int_equal(checksum(layer) == sum, bit == 5 || bit == 6);
		*word ^= BIT(bit);
	}
	ept_destroy(&clone);
	ept_layer_put(layer);
}

static struct image image = {.base = IMAGE, .size = IMAGE_SIZE - 100};

static void shared_memory_stays_shared_through_a_clone(void **state)
{
	struct mem_region shared = {
		.gpa = {GIB(1)}, .len = MIB(4), .kind = MEM_SHARED, .image = &image};
	struct mem_region ram = {.gpa = {0}, .len = MIB(2), .kind = MEM_COW, .image = &image};
	struct ept clone;
	struct ept_layer *layer;

	assert_int_equal(region_map(&ept, &shared), OK);
	assert_int_equal(region_map(&ept, &ram), OK);
	assert_int_equal(level_of(GIB(1)), 1);
	assert_true(entry_of(&ept, GIB(1)) & EPT_W);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_false(entry_of(&clone, GIB(1)) & EPT_W); /* sealed: faults once */

	watch(&clone, 0, HOLE);
	assert_int_equal(region_map_page(&clone, &shared, at(GIB(1) + 0x5678)), OK);
	after_store = NULL;
	assert_true(entry_of(&clone, GIB(1) + 0x5000) & EPT_W);
	assert_true(entry_of(&clone, GIB(1) + MIB(3)) & EPT_W); /* in the same table */
	assert_int_equal(translate_in(&clone, GIB(1) + 0x5678), IMAGE + 0x5678);
	unsigned level;

	(void)ept_lookup(&clone, at(GIB(1)), &level);
	assert_int_equal(level, 1); /* not split */
	assert_false(entry_of(&clone, 0) & EPT_W);
	check_tree(&clone);
	ept_destroy(&clone);
	ept_layer_put(layer);
}

static void regions_are_mapped_as_their_kind_says(void **state)
{
	static const struct {
		enum mem_kind kind;
		uint64_t len, offset;
		const struct image *image;
		enum status want;
		uint64_t bits;
	} cases[] = {
		{MEM_ROM, MIB(4), 0, &image, OK, RX},
		{MEM_COW, MIB(4), 0, &image, OK, RX},
		{MEM_SHARED, MIB(4), 0, &image, OK, RWX},
		{MEM_COW, MIB(2), MIB(2), &image, OK, RX},
		{MEM_COW, MIB(2), 0x3000, &image, OK, RX},
		{MEM_COW, MIB(4) + PAGE_SIZE, 0, &image, ERR_RANGE, 0},
		{MEM_COW, MIB(4), PAGE_SIZE, &image, ERR_RANGE, 0},
		{MEM_COW, PAGE_SIZE, -PAGE_SIZE, &image, ERR_RANGE, 0},
		{MEM_COW, PAGE_SIZE, -2 * PAGE_SIZE, &image, ERR_RANGE, 0},
		{MEM_COW, PAGE_SIZE, 0x800, &image, ERR_INVAL, 0},
		{MEM_ROM, MIB(4), 0, NULL, OK, EPT_FRESH | EPT_TYPE(6)},
		{MEM_COW, MIB(4), 0, NULL, OK, EPT_FRESH | EPT_TYPE(6)},
		{MEM_SHARED, MIB(4), 0, NULL, ERR_INVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mem_region region = {.gpa = {GIB(1)},
					    .len = cases[i].len,
					    .kind = cases[i].kind,
					    .image = cases[i].image,
					    .offset = cases[i].offset};
		uint64_t last = GIB(1) + region.len - 1;

		assert_int_equal(region_map(&ept, &region), cases[i].want);
		assert_int_equal(entry_of(&ept, GIB(1)) & ~(EPT_ADDR | EPT_LARGE), cases[i].bits);
		assert_int_equal(entry_of(&ept, last) & ~(EPT_ADDR | EPT_LARGE), cases[i].bits);
		if (cases[i].want == OK && region.image != NULL)
			assert_int_equal(translate(last), IMAGE + region.offset + region.len - 1);
		if (cases[i].want == OK && region.image == NULL)
			assert_int_equal(words(translate(last - 4095))[511], 0);
		map(0, 0, TOP, 0);
		ept_reclaim(&ept);
	}
	struct mem_region high = {.gpa = {TOP}, .len = MIB(2), .kind = MEM_COW};

	assert_int_equal(region_map(&ept, &high), ERR_RANGE);
}

static void fill_maps_the_page_and_no_more(void **state)
{
	static const struct {
		enum mem_kind kind;
		uint64_t gpa, len, offset, at;
		unsigned level;
		uint64_t from, size;
	} cases[] = {
		{MEM_COW, 0, MIB(4), 0, 0x5123, 0, 0x5000, 0x1000},
		{MEM_ROM, 0, MIB(4), 0, 0x5123, 0, 0x5000, 0x1000},
		{MEM_SHARED, 0, MIB(4), 0, 0x5123, 1, 0, MIB(2)},
		{MEM_SHARED, 0, MIB(4), 0, MIB(4) - 1, 1, MIB(2), MIB(2)},
		{MEM_SHARED, 0x1000, MIB(2), 0x1000, 0x5123, 0, 0x5000, 0x1000}, /* starts late */
		{MEM_SHARED, 0, MIB(3), 0, MIB(2), 0, MIB(2), 0x1000},		 /* ends early */
		{MEM_SHARED, 0, MIB(3), 0x1000, 0x5000, 0, 0x5000, 0x1000},	 /* misaligned */
		{MEM_SHARED, 0x1000, MIB(4) - 0x1000, 0x1000, MIB(3), 1, MIB(2), MIB(2)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mem_region region = {.gpa = {cases[i].gpa},
					    .len = cases[i].len,
					    .kind = cases[i].kind,
					    .image = &image,
					    .offset = cases[i].offset};

		assert_int_equal(region_map_page(&ept, &region, at(cases[i].at)), OK);
		assert_int_equal(level_of(cases[i].at), cases[i].level);
		assert_int_equal(translate(cases[i].at),
				 IMAGE + cases[i].offset + cases[i].at - cases[i].gpa);
		assert_int_not_equal(translate(cases[i].from), HOLE);
		assert_int_not_equal(translate(cases[i].from + cases[i].size - 1), HOLE);
		assert_int_equal(translate(cases[i].from + cases[i].size), HOLE);
		if (cases[i].from > 0)
			assert_int_equal(translate(cases[i].from - 1), HOLE);
		map(0, 0, TOP, 0);
		ept_reclaim(&ept);
	}
	struct mem_region zeros = {.gpa = {0}, .len = MIB(2), .kind = MEM_COW};

	assert_int_equal(region_map_page(&ept, &zeros, at(0x1000)), OK);
	assert_int_equal(words(translate(0x1000))[5], 0);
}

/* Copies the pages that the log has room for without a frame, and takes all free frames. */
static void fill_first_log(void)
{
	start(N_FRAMES);
	assert_int_equal(ept_init(&ept, 3, EPT_UNLIMITED), OK);
	map(0, IMAGE, IMAGE_SIZE, RX);
	for (uint64_t i = 0; ept_log_has_room(&ept.log); i++)
		copy(&ept, i * PAGE_SIZE);
	while (frame_alloc() != 0)
		;
}

/* The log grows before the page is copied: without a frame for it nothing changes. */
static void a_full_log_refuses_the_page(void **state)
{
	static const struct frame_policy policy = {.mode = FRAME_LOCAL};
	uint64_t owned, gpa = 0x40000;
	phys_t frame;

	fill_first_log();
	owned = ept.n_owned;
	watch(&ept, 0, HOLE);
	assert_int_equal(ept_copy(&ept, at(gpa), &frame), ERR_NOMEM);
	assert_int_equal(ept_copy_by(&ept, at(gpa), &policy, 0, &frame), ERR_NOMEM);
	assert_int_equal(stores, 0);
	assert_int_equal(ept.n_owned, owned);
	check_tree(&ept);

	/* One frame is for the log, the next one for the page. */
	frame_add_range(FRAMES + (N_FRAMES + EPT_ZERO_LEVELS) * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(ept_copy(&ept, at(gpa), &frame), ERR_NOMEM);
	assert_int_equal(ept.n_owned, owned + 1);
	assert_int_equal(ept.log.n_chunks, 1);
	frame_add_range(FRAMES + (N_FRAMES + EPT_ZERO_LEVELS + 1) * PAGE_SIZE, PAGE_SIZE);
	watch(&ept, 0, gpa);
	copy(&ept, gpa);
	assert_int_equal(ept.n_owned, owned + 2);
	after_store = NULL;
	ept_destroy(&ept);
	setup(NULL);
}

/* Make an own page borrow zeros, as the merge search does. */
static void merge_with_zeros(uint64_t gpa)
{
	phys_t frame = translate(gpa);

	ept_seal(&ept, at(gpa));
	assert_int_equal(ept_give_back(&ept, at(gpa), frame, ept_zero_frame() | RX), frame);
	frame_free(frame);
}

/* The page that the guest writes again needs a frame: without one it stays merged. */
static void a_merged_page_stays_merged_without_a_frame(void **state)
{
	uint64_t before;
	phys_t frame;

	map(0, IMAGE, IMAGE_SIZE, RX);
	copy(&ept, 0x5000);
	merge_with_zeros(0x5000);
	before = entry_of(&ept, 0x5000);
	for (unsigned by_ceiling = 0; by_ceiling < 2; by_ceiling++) {
		phys_t taken[N_FRAMES];
		unsigned n = 0;

		ept.max_owned = by_ceiling ? ept.n_owned : EPT_UNLIMITED;
		while (!by_ceiling && (taken[n] = frame_alloc()) != 0)
			n++;
		assert_int_equal(ept_copy(&ept, at(0x5000), &frame), ERR_NOMEM);
		assert_int_equal(entry_of(&ept, 0x5000), before);
		assert_int_equal(merged_count().sharing, 1);
		while (n > 0)
			frame_free(taken[--n]);
	}
	ept.max_owned = EPT_UNLIMITED;
	copy(&ept, 0x5000);
	assert_int_equal(merged_count().sharing, 0);
}

/* What the merge search sealed may have become another page, or none, by the time it comes back. */
static void only_the_sealed_page_itself_is_given_back(void **state)
{
	uint64_t leaf = ept_zero_frame() | RX;
	phys_t frame, other;

	map(0, IMAGE, IMAGE_SIZE, RX);
	frame = copy(&ept, 0x5000);
	other = copy(&ept, 0x6000);
	stores = 0;
	/* Its table is not own; it is not own; it is another frame; it is writable again. */
	assert_int_equal(ept_give_back(&ept, at(MIB(2)), IMAGE + MIB(2), leaf), 0);
	assert_int_equal(ept_give_back(&ept, at(0x7000), IMAGE + 0x7000, leaf), 0);
	ept_seal(&ept, at(0x5000));
	assert_int_equal(ept_give_back(&ept, at(0x5000), other, leaf), 0);
	ept_unseal(&ept, at(0x5000), other);
	assert_false(entry_of(&ept, 0x5000) & EPT_W);
	ept_unseal(&ept, at(0x5000), frame);
	assert_true(entry_of(&ept, 0x5000) & EPT_W);
	ept_unseal(&ept, at(0x5000), frame);
	assert_int_equal(stores, 2);
	assert_int_equal(ept_give_back(&ept, at(0x5000), frame, leaf), 0);
	assert_int_equal(translate(0x5000), frame);
	assert_int_equal(merged_count().sharing, 0);
}

/* Mapping over a whole table drops the counts of the merged pages in it. */
static void a_merged_page_in_a_retired_table_is_no_longer_counted(void **state)
{
	map(0, IMAGE, IMAGE_SIZE, RX);
	copy(&ept, 0x5000);
	copy(&ept, 0x6000);
	merge_with_zeros(0x5000);
	assert_int_equal(merged_count().sharing, 1);
	map(0, 0, MIB(2), 0);
	assert_int_equal(merged_count().sharing, 0);
	ept_reclaim(&ept);
	check_tree(&ept);
}

/* A layer's log also has items of merged pages, and of entries that were unmapped before. */
static void what_is_not_a_layers_own_is_not_in_its_checksum(void **state)
{
	struct ept_layer *layer;
	struct ept_layer_cursor cursor = {0};
	uint64_t sum;
	phys_t merged;

	map(0, IMAGE, IMAGE_SIZE, RX);
	merged = copy(&ept, 0x5000);
	copy(&ept, 0x6000);
	copy(&ept, 0x7000);
	merge_with_zeros(0x5000);
	map(0x6000, 0, PAGE_SIZE, 0);
	ept_reclaim(&ept);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	n_visited = 0;
	while (ept_layer_each(layer, &cursor, 1, visit, NULL))
		;
	assert_int_equal(n_visited, layer->n_owned);
	for (unsigned i = 0; i < n_visited; i++)
		assert_true(visited[i] != merged && visited[i] != ept_zero_frame());
	sum = checksum(layer);
	words(merged)[9]++; /* free */
	assert_true(checksum(layer) == sum);
	words(translate(0x7000))[9]++;
	assert_true(checksum(layer) != sum);
	ept_layer_put(layer);
}

/* Each takes frames. 'ept' has the image at 0 as 2 MiB pages, copied at 0x5000, and is a clone. */
static enum status do_map(void)
{
	return ept_map(&ept, at(GIB(1) - PAGE_SIZE), IMAGE + 0x3000, 2 * PAGE_SIZE, RX);
}

static enum status do_map_over(void)
{
	return ept_map(&ept, at(MIB(2) - PAGE_SIZE), IMAGE + 0x3000, 2 * PAGE_SIZE, RX);
}

static enum status do_unmap(void)
{
	return ept_map(&ept, at(MIB(2) - PAGE_SIZE), 0, 2 * PAGE_SIZE, 0);
}

static enum status do_map_zero(void)
{
	return ept_map_zero(&ept, at(MIB(2) - PAGE_SIZE), GIB(513));
}

static enum status do_copy(void)
{
	phys_t frame;

	return ept_copy(&ept, at(MIB(2) + 0x5000), &frame);
}

static enum status do_override(void)
{
	uint64_t old;

	return ept_override(&ept, at(0x7000), 0x9000 | RWX, &old);
}

static enum status do_freeze(void)
{
	struct ept_layer *layer;
	phys_t frame;

	TRY(ept_copy(&ept, at(0x5000), &frame));
	TRY(freeze_tree(&ept, &layer));
	ept_layer_put(layer);
	return OK;
}

static const uint64_t probes[] = {
	0,	  0x5000,	   0x7000,   MIB(2) - PAGE_SIZE,
	MIB(2),	  MIB(2) + 0x5000, MIB(4),   GIB(1) - PAGE_SIZE,
	GIB(1),	  GIB(500),	   GIB(512), GIB(513),
	GIB(514),
};

/* Leave 'n' frames, or a limit of n more. */
static void build(uint64_t n, bool by_ceiling)
{
	struct ept_layer *layer;

	start(N_FRAMES);
	assert_int_equal(ept_init(&ept, 3, EPT_UNLIMITED), OK);
	map(0, IMAGE, IMAGE_SIZE, RX);
	copy(&ept, 0x5000);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_layer_put(layer);
	if (by_ceiling)
		ept.max_owned = n;
	while (!by_ceiling && frame_available() > n)
		assert_int_not_equal(frame_alloc(), 0);
}

static uint64_t snapshot(uint64_t entry[])
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		entry[i] = page_entry(&ept, probes[i]);
	return frame_available() + ept.n_owned;
}

static void every_allocation_may_fail(void **state)
{
	static enum status (*const operation[])(void) = {
		do_map, do_map_over, do_unmap, do_map_zero, do_copy, do_override, do_freeze};

	for (size_t op = 0; op < ARRAY_SIZE(operation); op++)
		for (unsigned by_ceiling = 0; by_ceiling < 2; by_ceiling++) {
			uint64_t old[ARRAY_SIZE(probes)], new[ARRAY_SIZE(probes)],
				now[ARRAY_SIZE(probes)], n = 0;
			enum status status;

			build(N_FRAMES, true);
			(void)snapshot(old);
			assert_int_equal(operation[op](), OK);
			(void)snapshot(new);
			do {
				build(n, by_ceiling);
				uint64_t books = snapshot(now);
				uint64_t free_at_end = frame_available();

				assert_memory_equal(now, old, sizeof(now));
				status = operation[op]();
				if (operation[op] != do_freeze || status != OK)
					assert_int_equal(snapshot(now), books);
				snapshot(now);
				for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
					/*
					 * Either the old or the new translation; a copy
					 * may have another frame.
					 */
					assert_true(now[i] == old[i] || now[i] == new[i] ||
						    (status == OK || now[i] & EPT_W));
				check_tree(&ept);
				struct ept_layer *base = ept.base;
				bool was_frozen = base != NULL && base->parent != NULL;

				ept_destroy(&ept);
				/* All frames are free again, the layer's too. */
				assert_true(frame_available() >= free_at_end + 6);
				assert_true(was_frozen ==
					    (operation[op] == do_freeze && status == OK));
				n++;
			} while (status == ERR_NOMEM);
			assert_int_equal(status, OK);
			/*
			 * All of these need frames. Only a layer's own frame
			 * does not count against the limit.
			 */
			assert_true(n > 3);
		}
	setup(NULL);
}

static void other_frames_of_the_vm_count_against_the_limit(void **state)
{
	phys_t frame;

	map(0, IMAGE, IMAGE_SIZE, RX);
	ept.max_owned = ept.n_owned + 4;
	copy(&ept, 0x5000); /* with a table */
	assert_int_equal(ept_charge(&ept), OK);
	copy(&ept, 0x6000);
	assert_int_equal(ept_charge(&ept), ERR_NOMEM);
	assert_int_equal(ept_copy(&ept, at(0x7000), &frame), ERR_NOMEM);
	ept_discharge(&ept);
	copy(&ept, 0x7000);
	assert_int_equal(ept_copy(&ept, at(0x8000), &frame), ERR_NOMEM);
	ept.max_owned = EPT_UNLIMITED;
	assert_int_equal(ept_charge(&ept), OK);
	ept_discharge(&ept);
	assert_int_equal(ept.max_owned, EPT_UNLIMITED);
}

static size_t log_length(void)
{
	struct ept_log_cursor cursor = ept_log_begin(&ept.log);
	size_t n = 0;

	while (ept_log_next(&cursor) != NULL)
		n++;
	return n;
}

/* Of a guest that is continued again and again without a frame for its write. */
static void a_copy_without_a_frame_leaves_nothing_in_the_log(void **state)
{
	static const struct frame_policy policy = {.mode = FRAME_LOCAL};

	for (unsigned by_ceiling = 0; by_ceiling < 2; by_ceiling++) {
		phys_t frame;
		size_t length;

		build(by_ceiling ? 8 : 6, by_ceiling);
		copy(&ept, 0x6000);
		while (frame_available() > 0)
			(void)frame_alloc();
		ept.max_owned = by_ceiling ? ept.n_owned : EPT_UNLIMITED;
		length = log_length();
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(ept_copy(&ept, at(0x7000), &frame), ERR_NOMEM);
			assert_int_equal(ept_copy_by(&ept, at(0x7000), &policy, 0, &frame),
					 ERR_NOMEM);
			assert_int_equal(ept_copy(&ept, at(MIB(2)), &frame), ERR_NOMEM);
		}
		assert_int_equal(log_length(), length);
		ept_destroy(&ept);
	}
	setup(NULL);
}

static void a_page_merged_again_and_again_is_in_the_log_once(void **state)
{
	uint64_t owned;

	map(0, IMAGE, IMAGE_SIZE, RX);
	copy(&ept, 0x5000);
	owned = ept.n_owned;
	for (unsigned i = 0; i < 2000; i++) {
		phys_t frame = copy(&ept, 0x5000);

		ept_seal(&ept, at(0x5000));
		assert_int_equal(ept_give_back(&ept, at(0x5000), frame, ept_zero_frame() | RX),
				 frame);
		frame_free(frame);
		copy(&ept, 0x5000);
	}
	assert_int_equal(ept.n_owned, owned);
	merged_reset();
}

static void init_may_fail(void **state)
{
	struct ept tree;

	start(0);
	assert_int_equal(ept_init(&tree, 1, EPT_UNLIMITED), ERR_NOMEM);
	start(1);
	assert_int_equal(ept_init(&tree, 1, 0), ERR_NOMEM);
	assert_int_equal(frame_available(), 1);
	assert_int_equal(ept_init(&tree, 1, 1), OK);
	ept_destroy(&tree);
	assert_int_equal(frame_available(), 1);
	setup(NULL);
}

static void copy_shared(void)
{
	phys_t frame;

	(void)!ept_copy(&ept, at(0), &frame);
}

static void map_unaligned(void)
{
	(void)!ept_map(&ept, at(0x800), IMAGE, PAGE_SIZE, RX);
}

static void map_write_only(void)
{
	(void)!ept_map(&ept, at(0), IMAGE, PAGE_SIZE, EPT_W);
}

static void override_with_own(void)
{
	uint64_t old;

	(void)!ept_override(&ept, at(0), IMAGE | RWX | EPT_OWN, &old);
}

static void reset_a_root(void)
{
	ept_reset(&ept);
}

static void misuse_stops_the_machine(void **state)
{
	map(0, IMAGE, PAGE_SIZE, RWX);
	assert_true(aborts(copy_shared));
	assert_true(aborts(map_unaligned));
	assert_true(aborts(map_write_only));
	assert_true(aborts(override_with_own));
	assert_true(aborts(reset_a_root));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_largest_pages_that_fit),
		TEST(cow_splits_without_a_gap),
		TEST(a_copy_of_a_copy_is_the_copy),
		TEST(a_copy_keeps_the_memory_type),
		TEST(nothing_beyond_48_bits),
		TEST(generation_moves_when_a_present_translation_changed),
		TEST(a_large_page_over_a_table_reclaims_it),
		TEST(a_retired_table_is_never_present_where_it_is_chained),
		TEST(unmapping_a_hole_takes_no_frames),
		TEST(unmapping_takes_out_what_it_says),
		TEST(zeros_cost_nothing_until_written),
		TEST(zeros_are_two_frames_and_shared),
		TEST(override_gives_one_page_and_puts_it_back),
		TEST(override_refuses_an_own_page),
		TEST(copy_of_nothing_is_refused),
		TEST(a_clone_takes_no_frame_and_never_writes_its_template),
		TEST(clones_of_clones_keep_their_ancestors_alive),
		TEST(a_layer_is_freed_in_pieces),
		TEST(a_layer_of_two_templates_outlives_the_first),
		TEST(a_layers_frames_are_visited_in_pieces),
		TEST(a_fault_does_not_cost_more_in_deeper_clones),
		TEST(a_large_tree_is_freed_in_pieces),
		TEST(reset_goes_back_and_gives_back),
		TEST(restore_trims_what_has_not_changed),
		TEST(restore_is_a_reset_after_many_other_pages),
		TEST(restore_keeps_pages),
		TEST(restore_takes_merged_pages_back),
		TEST(restore_is_a_reset_where_pages_may_not_stay),
		TEST(reset_keeps_tables),
		TEST(reset_takes_merged_pages_back),
		TEST(memory_is_fresh_again_after_a_reset),
		TEST(kept_tables_can_be_frozen),
		TEST(reset_undoes_other_changes),
		TEST(a_returned_page_can_be_overridden),
		TEST(reset_keeps_few_tables),
		TEST(reset_keeps_few_tables_while_frames_are_scarce),
		TEST(processors_learn_of_the_first_table),
		TEST(a_page_is_copied_beside_others),
		TEST(a_fresh_page_is_copied_beside_others),
		TEST(a_clone_gets_a_root_for_other_entries),
		TEST(a_clone_gets_a_root_to_unmap_all),
		TEST(a_root_that_finds_no_frame_changes_nothing),
		TEST(freezing_an_unchanged_clone_makes_no_layer),
		TEST(each_layer_has_a_number_of_its_own),
		TEST(a_freeze_keeps_what_waits_for_the_flush),
		TEST(a_layers_checksum_is_of_its_own_frames),
		TEST(shared_memory_stays_shared_through_a_clone),
		TEST(regions_are_mapped_as_their_kind_says),
		TEST(fill_maps_the_page_and_no_more),
		TEST(a_full_log_refuses_the_page),
		TEST(a_merged_page_stays_merged_without_a_frame),
		TEST(only_the_sealed_page_itself_is_given_back),
		TEST(a_merged_page_in_a_retired_table_is_no_longer_counted),
		TEST(what_is_not_a_layers_own_is_not_in_its_checksum),
		TEST(every_allocation_may_fail),
		TEST(other_frames_of_the_vm_count_against_the_limit),
		TEST(a_copy_without_a_frame_leaves_nothing_in_the_log),
		TEST(a_page_merged_again_and_again_is_in_the_log_once),
		TEST(init_may_fail),
		TEST(misuse_stops_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
