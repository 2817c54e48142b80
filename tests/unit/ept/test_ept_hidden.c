/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that the tree has, and no processor finds. */
#include "hv/ept/ept.h"

#include <string.h>

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + MIB(4))
#define N_FRAMES 64
#define RX	 (EPT_R | EPT_X | EPT_TYPE(6))
#define START	 EPT_HIDDEN_START
#define TOP	 BIT(48)

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
	phys_arena(IMAGE, MIB(6));
	memset(words(IMAGE), 0x11, MIB(4));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	return 0;
}

/* What a processor finds at gpa, by SDM vol. 3, "EPT Translation Mechanism"; 0: a violation. */
static phys_t walk(const struct ept *tree, uint64_t gpa)
{
	phys_t table = tree->root;

	if (gpa >> 48)
		return 0;
	for (unsigned level = 3;; level--) {
		uint64_t entry = words(table)[gpa >> (12 + 9 * level) & 511];

		if (!(entry & EPT_PRESENT))
			return 0;
		if (level == 0 || entry & EPT_LARGE)
			return (entry & EPT_ADDR) + (gpa & ((PAGE_SIZE << (9 * level)) - 1));
		table = entry & EPT_ADDR;
	}
}

static phys_t find(const struct ept *tree, uint64_t gpa)
{
	unsigned level;
	uint64_t entry = ept_lookup(tree, at(gpa), &level);

	return entry == 0 ? 0 : (entry & EPT_ADDR) + (gpa & ((PAGE_SIZE << (9 * level)) - 1));
}

/* Every page is there, and no processor sees one: in the first, the second and the last table. */
static void no_processor_finds_it(void **state)
{
	static const uint64_t places[] = {START, START + GIB(512), TOP - MIB(4)};
	struct ept_layer *layer;
	struct ept clone;
	phys_t frame;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(ept_map(&ept, at(places[i]), IMAGE, MIB(4), RX), OK);
		assert_int_equal(ept_copy(&ept, at(places[i]), &frame), OK);
		assert_int_equal(find(&ept, places[i]), frame);
	}
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(find(&clone, places[i]), find(&ept, places[i]));
		assert_int_equal(ept_copy(&clone, at(places[i]), &frame), OK);
		assert_int_not_equal(find(&clone, places[i]), find(&ept, places[i]));
		assert_int_equal(find(&clone, places[i] + MIB(2)), IMAGE + MIB(2));
		for (uint64_t off = 0; off < MIB(4); off += PAGE_SIZE) {
			assert_int_equal(walk(&ept, places[i] + off), 0);
			assert_int_equal(walk(&clone, places[i] + off), 0);
		}
	}
	check_tree(&clone);
	ept_reset(&clone);
	assert_int_equal(find(&clone, START), find(&ept, START));
	ept_destroy(&clone);
	ept_layer_put(layer);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES - EPT_ZERO_LEVELS);
}

static void what_lies_below_is_found(void **state)
{
	assert_int_equal(ept_map(&ept, at(START - MIB(2)), IMAGE, MIB(2), RX), OK);
	assert_int_equal(walk(&ept, START - PAGE_SIZE), IMAGE + MIB(2) - PAGE_SIZE);
	assert_int_equal(walk(&ept, START), 0);
	assert_int_equal(find(&ept, START), 0);
}

/* A scratch page for one instruction would have no effect. */
static void nothing_is_put_in_its_place(void **state)
{
	uint64_t old;

	assert_int_equal(ept_override(&ept, at(START), IMAGE | RX, &old), ERR_RANGE);
	assert_int_equal(ept_override(&ept, at(TOP - PAGE_SIZE), IMAGE | RX, &old), ERR_RANGE);
	assert_int_equal(ept_override(&ept, at(TOP), IMAGE | RX, &old), ERR_RANGE);
	assert_int_equal(find(&ept, START), 0);
}

static void it_can_be_unmapped(void **state)
{
	assert_int_equal(ept_map(&ept, at(START), IMAGE, MIB(4), RX), OK);
	assert_int_equal(ept_map(&ept, at(START), 0, GIB(512), 0), OK);
	assert_int_equal(find(&ept, START), 0);
	ept_reclaim(&ept);
	assert_int_equal(ept.n_owned, 1);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES - EPT_ZERO_LEVELS);
}

/* Written and discarded for ever: neither frames nor the log become more. */
static void a_dropped_page_is_zeros_without_a_frame(void **state)
{
	uint64_t n_owned = 0, done;
	phys_t frame;

	assert_int_equal(ept_map(&ept, at(START), IMAGE, MIB(2), RX), OK);
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(ept_copy(&ept, at(START), &frame), OK);
		assert_int_equal(words(frame)[0], i == 0 ? UINT64_C(0x1111111111111111) : 0);
		words(frame)[0] = i + 1;
		assert_int_equal(ept_drop(&ept, at(START), PAGE_SIZE, &done), OK);
		assert_int_equal(done, PAGE_SIZE);
		assert_int_equal(find(&ept, START), ept_zero_frame());
		if (i == 0)
			n_owned = ept.n_owned;
		assert_int_equal(ept.n_owned, n_owned);
		assert_int_equal(merged_count().sharing, 1);
	}
	assert_int_equal(find(&ept, START + PAGE_SIZE), IMAGE + PAGE_SIZE);
	check_tree(&ept);
	ept_destroy(&ept);
	assert_int_equal(merged_count().sharing, 0);
	assert_int_equal(frame_available(), N_FRAMES - EPT_ZERO_LEVELS);
}

/* A page that was never written, and one that is dropped twice. */
static void an_image_page_is_dropped_too(void **state)
{
	uint64_t done, n_owned;

	assert_int_equal(ept_map(&ept, at(START), IMAGE, MIB(2), RX), OK);
	assert_int_equal(ept_drop(&ept, at(START + PAGE_SIZE), MIB(1), &done), OK);
	assert_int_equal(done, PAGE_SIZE);
	n_owned = ept.n_owned;
	assert_int_equal(find(&ept, START + PAGE_SIZE), ept_zero_frame());
	assert_int_equal(ept_drop(&ept, at(START + PAGE_SIZE), MIB(1), &done), OK);
	assert_int_equal(ept.n_owned, n_owned);
	assert_int_equal(merged_count().sharing, 0);
	assert_int_equal(find(&ept, START), IMAGE);
	assert_int_equal(words(IMAGE + PAGE_SIZE)[0], UINT64_C(0x1111111111111111));
}

static void large_ranges_go_at_once_where_nothing_is_own(void **state)
{
	phys_t frame;
	uint64_t done;

	assert_int_equal(ept_map(&ept, at(START), IMAGE, MIB(4), RX), OK);
	assert_int_equal(ept_copy(&ept, at(START + MIB(2)), &frame), OK);
	assert_int_equal(ept_drop(&ept, at(START), MIB(4), &done), OK);
	assert_int_equal(done, MIB(2));
	assert_int_equal(ept_drop(&ept, at(START + MIB(2)), MIB(2), &done), OK);
	assert_int_equal(done, PAGE_SIZE);
	assert_int_equal(find(&ept, START + MIB(2) - PAGE_SIZE), ept_zero_frame());
	assert_int_equal(find(&ept, START + MIB(2)), ept_zero_frame());
	assert_int_equal(find(&ept, START + MIB(2) + PAGE_SIZE), IMAGE + MIB(2) + PAGE_SIZE);
	assert_int_equal(ept.n_retired, 0);
	check_tree(&ept);
}

static void each_missing_frame_is_reported(void **state)
{
	uint64_t done, n = 0;

	assert_int_equal(ept_map(&ept, at(0), IMAGE, MIB(2), RX), OK);
	for (ept.max_owned = ept.n_owned;
	     ept_map(&ept, at(START), IMAGE, PAGE_SIZE, RX) == ERR_NOMEM; ept.max_owned++)
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(ept_drop(&ept, at(START + MIB(4)), PAGE_SIZE, &done), ERR_NOMEM);
	assert_int_equal(find(&ept, START + MIB(4)), 0);
	check_tree(&ept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_processor_finds_it, setup),
		cmocka_unit_test_setup(what_lies_below_is_found, setup),
		cmocka_unit_test_setup(nothing_is_put_in_its_place, setup),
		cmocka_unit_test_setup(it_can_be_unmapped, setup),
		cmocka_unit_test_setup(a_dropped_page_is_zeros_without_a_frame, setup),
		cmocka_unit_test_setup(an_image_page_is_dropped_too, setup),
		cmocka_unit_test_setup(large_ranges_go_at_once_where_nothing_is_own, setup),
		cmocka_unit_test_setup(each_missing_frame_is_reported, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
