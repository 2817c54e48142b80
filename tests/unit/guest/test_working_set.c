/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/working_set.h"

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define START	 MIB(2)
#define N_FRAMES 16384
#define ENTRIES	 510 /* in each frame of the list */

static struct mem_map map;
static struct image image;
static struct ept_layer *layer;
static uint64_t n_free;

/*
 * Private memory at 0 and at 1 GiB, the latter over a file; the file shared at
 * 2 GiB, ROM at 3 GiB.
 */
static int setup(void **state)
{
	static const enum mem_kind kinds[] = {MEM_COW, MEM_COW, MEM_SHARED, MEM_ROM};
	struct ept ept;

	frame_reset();
	frame_poison = false;
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	image = (struct image){.size = MIB(2), .aligned = true};
	image.base = frame_alloc_run(512, PAGE_SIZE);
	map.n = 0;
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct mem_region region = {.gpa = {i * GIB(1)},
					    .len = i == 0 ? MIB(64) : MIB(2),
					    .kind = kinds[i],
					    .image = i == 0 ? NULL : &image};

		assert_int_equal(mem_map_add(&map, &region), OK);
		assert_int_equal(region_map(&ept, &region), OK);
	}
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_destroy(&ept);
	n_free = frame_available();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(frame_available(), n_free);
	ept_layer_put(layer);
	return 0;
}

static void write_page(struct ept *ept, uint64_t gpa)
{
	phys_t frame;

	assert_int_equal(
		region_copy_page(ept, mem_map_find(&map, (gpa_t){gpa}), (gpa_t){gpa}, &frame), OK);
	*(uint64_t *)phys_to_virt(frame) = gpa + 1;
}

static bool owns(const struct ept *ept, uint64_t gpa)
{
	unsigned level;

	return ept_lookup(ept, (gpa_t){gpa}, &level) & EPT_OWN;
}

static void a_clone_gets_what_another_has_written(void **state)
{
	static const uint64_t pages[] = {0,	 0x3000,	 MIB(2) - 0x1000, MIB(64) - 0x1000,
					 GIB(1), GIB(1) + 0x5000};
	struct ept first, later;
	phys_t set;

	ept_clone(&first, layer, EPT_UNLIMITED);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		write_page(&first, pages[i]);
	/* Shared memory is not copied. */
	assert_int_equal(
		region_map_page(&first, mem_map_find(&map, (gpa_t){GIB(2)}), (gpa_t){GIB(2)}), OK);
	set = working_set_record(&first, &map);
	assert_int_equal(working_set_count(set), ARRAY_SIZE(pages));
	ept_clone(&later, layer, EPT_UNLIMITED);
	assert_int_equal(working_set_copy(set, &later, &map), OK);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		unsigned level;
		uint64_t entry = ept_lookup(&later, (gpa_t){pages[i]}, &level);

		assert_true(entry & EPT_OWN);
		/* The template's bytes, not those of the other clone. */
		assert_int_equal(*(uint64_t *)phys_to_virt(entry & EPT_ADDR), 0);
	}
	assert_false(owns(&later, 0x1000));
	assert_false(owns(&later, GIB(2)));
	check_tree(&later);
	/* Again: nothing is left to do. */
	assert_int_equal(working_set_copy(set, &later, &map), OK);
	ept_destroy(&first);
	ept_destroy(&later);
	working_set_free(set);
}

/* Such as the page of a clone's GUID, until its guest looks at it. */
static void a_page_that_is_not_mapped_is_left_out(void **state)
{
	struct ept first, later;
	phys_t set;

	ept_clone(&first, layer, EPT_UNLIMITED);
	write_page(&first, 0x1000);
	write_page(&first, 0x2000);
	set = working_set_record(&first, &map);
	ept_clone(&later, layer, EPT_UNLIMITED);
	assert_int_equal(ept_map(&later, (gpa_t){0x1000}, 0, PAGE_SIZE, 0), OK);
	assert_int_equal(working_set_copy(set, &later, &map), OK);
	assert_false(owns(&later, 0x1000));
	assert_true(owns(&later, 0x2000));
	ept_destroy(&first);
	ept_destroy(&later);
	working_set_free(set);
}

static void nothing_written_is_an_empty_list(void **state)
{
	struct ept clone;

	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(working_set_record(&clone, &map), 0);
	assert_int_equal(working_set_count(0), 0);
	assert_int_equal(working_set_copy(0, &clone, &map), OK);
	assert_false(clone.owns_root);
	working_set_free(0);
	ept_destroy(&clone);
}

static void the_list_has_a_bound(void **state)
{
	struct ept clone;
	phys_t set;

	for (uint64_t n = ENTRIES - 1; n <= ENTRIES + 1; n++) {
		ept_clone(&clone, layer, EPT_UNLIMITED);
		for (uint64_t i = 0; i < n; i++)
			write_page(&clone, i * PAGE_SIZE);
		set = working_set_record(&clone, &map);
		assert_int_equal(working_set_count(set), n);
		working_set_free(set);
		ept_destroy(&clone);
	}
	ept_clone(&clone, layer, EPT_UNLIMITED);
	for (uint64_t i = 0; i < WORKING_SET_FRAMES_MAX * ENTRIES + 7; i++)
		write_page(&clone, i * PAGE_SIZE);
	set = working_set_record(&clone, &map);
	assert_int_equal(working_set_count(set), WORKING_SET_FRAMES_MAX * ENTRIES);
	working_set_free(set);
	ept_destroy(&clone);
}

static phys_t take_frames(uint64_t n_left)
{
	phys_t chain = 0;

	while (frame_available() > n_left) {
		phys_t frame = frame_alloc();

		*(phys_t *)phys_to_virt(frame) = chain;
		chain = frame;
	}
	return chain;
}

static void free_frames(phys_t chain)
{
	while (chain != 0) {
		phys_t frame = chain;

		chain = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
}

/* The list has as many pages as there is memory for. Nothing is lost. */
static void memory_for_the_list_may_be_short(void **state)
{
	struct ept first;
	phys_t set, taken;

	ept_clone(&first, layer, EPT_UNLIMITED);
	for (uint64_t i = 0; i < 2 * ENTRIES; i++)
		write_page(&first, i * PAGE_SIZE);
	taken = take_frames(0);
	assert_int_equal(working_set_record(&first, &map), 0);
	free_frames(taken);
	taken = take_frames(1);
	set = working_set_record(&first, &map);
	assert_int_equal(working_set_count(set), ENTRIES);
	free_frames(taken);
	working_set_free(set);
	ept_destroy(&first);
}

/* Other VMs may need the frames, and the clone itself other pages. */
static void copies_leave_frames_for_writes(void **state)
{
	struct ept first, later;
	uint64_t n_few;
	phys_t set, taken;

	ept_clone(&first, layer, EPT_UNLIMITED);
	for (uint64_t i = 0; i < 2 * ENTRIES; i++)
		write_page(&first, i * PAGE_SIZE);
	set = working_set_record(&first, &map);
	ept_clone(&later, layer, 400);
	assert_int_equal(working_set_copy(set, &later, &map), ERR_NOMEM);
	assert_true(owns(&later, 0));
	assert_true(later.n_owned >= 200 && later.n_owned < 205);
	check_tree(&later);
	ept_destroy(&later);
	/* A sixteenth of all frames, and of a budget. */
	for (unsigned by_budget = 0; by_budget < 2; by_budget++) {
		if (by_budget)
			frame_keep_back(N_FRAMES / 2);
		n_few = N_FRAMES / (by_budget ? 32 : 16) + (by_budget ? N_FRAMES / 2 : 0);
		taken = take_frames(n_few + 200);
		ept_clone(&later, layer, EPT_UNLIMITED);
		assert_int_equal(working_set_copy(set, &later, &map), ERR_NOMEM);
		assert_true(owns(&later, 0));
		assert_true(frame_available() > n_few - FRAME_BATCH);
		check_tree(&later);
		ept_destroy(&later);
		free_frames(taken);
	}
	ept_destroy(&first);
	working_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_clone_gets_what_another_has_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_page_that_is_not_mapped_is_left_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_written_is_an_empty_list, setup, teardown),
		cmocka_unit_test_setup_teardown(the_list_has_a_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_for_the_list_may_be_short, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_leave_frames_for_writes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
