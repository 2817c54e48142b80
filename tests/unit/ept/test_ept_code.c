/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees on a processor whose large pages must not be executable. */
#include "hv/ept/ept.h"
#include "hv/guest/fault.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define N_FRAMES 64
#define RX	 (EPT_R | EPT_X | EPT_TYPE(6))
#define RWX	 (RX | EPT_W)

static struct ept ept;

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static int setup(void **state)
{
	frame_reset();
	phys_arena(IMAGE, MIB(4));
	frame_add_range(IMAGE, (N_FRAMES + EPT_ZERO_LEVELS) * PAGE_SIZE);
	ept_keep_code_small();
	if (ept_setup() != OK)
		return -1;
	return ept_init(&ept, 3, EPT_UNLIMITED) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES);
	return 0;
}

/* The entry of a gpa, which must be of that level. */
static uint64_t entry_at(uint64_t gpa, unsigned level)
{
	unsigned found;
	uint64_t entry = ept_lookup(&ept, at(gpa), &found);

	assert_int_equal(found, level);
	return entry;
}

static void no_large_page_is_executable(void **state)
{
	assert_int_equal(ept_map(&ept, at(GIB(1)), GIB(4), GIB(1), RX), OK);
	assert_int_equal(ept_map(&ept, at(MIB(4)), GIB(1), MIB(2) + PAGE_SIZE, RWX), OK);
	assert_int_equal(entry_at(GIB(1), 2),
			 GIB(4) | EPT_R | EPT_TYPE(6) | EPT_LARGE | EPT_SMALL_CODE);
	assert_int_equal(entry_at(MIB(4), 1) & EPT_PRESENT, EPT_R | EPT_W);
	assert_int_equal(entry_at(MIB(6), 0), (GIB(1) + MIB(2)) | RWX);
	/* Without X, there is nothing to split for. */
	assert_int_equal(ept_map(&ept, at(MIB(8)), GIB(1), MIB(2), EPT_R | EPT_TYPE(6)), OK);
	assert_false(entry_at(MIB(8), 1) & EPT_SMALL_CODE);
	check_tree(&ept);
}

static void the_first_fetch_splits_one_large_page_to_the_smallest(void **state)
{
	const struct mem_region region = {.kind = MEM_ROM};

	assert_int_equal(ept_map(&ept, at(GIB(1)), GIB(4), GIB(1), RX), OK);
	assert_int_equal(fault_decide(&region, entry_at(GIB(1), 2), ACCESS_EXEC), FAULT_SPLIT);
	assert_int_equal(ept_split(&ept, at(GIB(1) + MIB(2) + 0x5123)), OK);
	/* Its 2 MiB are pages of 4 KiB, all executable; its other 510 are not executable yet. */
	for (uint64_t offset = 0; offset < MIB(2); offset += PAGE_SIZE)
		assert_int_equal(entry_at(GIB(1) + MIB(2) + offset, 0),
				 (GIB(4) + MIB(2) + offset) | RX);
	assert_int_equal(entry_at(GIB(1), 1),
			 GIB(4) | EPT_R | EPT_TYPE(6) | EPT_LARGE | EPT_SMALL_CODE);
	assert_int_equal(fault_decide(&region, entry_at(GIB(1) + MIB(2), 0), ACCESS_EXEC),
			 FAULT_RETRY);
	check_tree(&ept);
}

static void a_split_keeps_what_else_is_allowed(void **state)
{
	const struct mem_region region = {.kind = MEM_SHARED};

	assert_int_equal(ept_map(&ept, at(MIB(2)), GIB(1), MIB(2), RWX), OK);
	assert_int_equal(fault_decide(&region, entry_at(MIB(2), 1), ACCESS_EXEC), FAULT_SPLIT);
	assert_int_equal(fault_decide(&region, entry_at(MIB(2), 1), ACCESS_WRITE), FAULT_RETRY);
	assert_int_equal(ept_split(&ept, at(MIB(2))), OK);
	assert_int_equal(entry_at(MIB(2) + 0x3000, 0), (GIB(1) + 0x3000) | RWX);
	assert_int_equal(ept_split(&ept, at(UINT64_C(1) << 48)), ERR_RANGE);
}

static void a_copy_of_a_page_is_executable_and_so_are_its_neighbours(void **state)
{
	phys_t frame;

	assert_int_equal(ept_map(&ept, at(MIB(2)), IMAGE, MIB(2), RX), OK);
	assert_int_equal(ept_copy(&ept, at(MIB(2) + 0x1000), &frame), OK);
	assert_int_equal(entry_at(MIB(2) + 0x1000, 0), frame | RWX | EPT_OWN);
	assert_int_equal(entry_at(MIB(2) + 0x2000, 0), (IMAGE + 0x2000) | RX);
	check_tree(&ept);
}

/* A reset keeps the table, and the page stays executable. */
static void a_clone_splits_for_itself(void **state)
{
	struct ept_layer *layer;
	struct ept clone;
	unsigned level;

	assert_int_equal(ept_map(&ept, at(MIB(2)), GIB(1), MIB(2), RX), OK);
	assert_int_equal(freeze_tree(&ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(ept_split(&clone, at(MIB(2))), OK);
	assert_int_equal(ept_lookup(&clone, at(MIB(2)), &level), GIB(1) | RX);
	assert_int_equal(level, 0);
	(void)entry_at(MIB(2), 1);
	check_layer(layer);
	check_tree(&clone);
	ept_reset(&clone);
	assert_int_equal(ept_lookup(&clone, at(MIB(2)), &level), GIB(1) | RX);
	assert_true(ept_lookup_below(&clone, at(MIB(2)), &level) & EPT_SMALL_CODE);
	check_tree(&clone);
	ept_destroy(&clone);
	ept_layer_put(layer);
}

/* The same holds for a large page of the tree's own. */
static void an_own_large_page_is_executable_after_a_fetch(void **state)
{
	static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	const struct mem_region region = {.kind = MEM_COW};
	uint64_t *entry;
	phys_t block;

	frame_add_range(IMAGE + MIB(2), MIB(2));
	block = frame_alloc_block_by(&anywhere, 0);
	assert_int_equal(ept_map_zero(&ept, at(MIB(2)), MIB(2)), OK);
	assert_int_equal(ept_populate_large_begin(&ept, at(MIB(2)), &entry), OK);
	ept_populate_large(entry, block);
	ept_populate_large_end(&ept, entry, block);
	assert_int_equal(entry_at(MIB(2), 1), block | EPT_R | EPT_W | EPT_TYPE(6) | EPT_LARGE |
						      EPT_OWN | EPT_SMALL_CODE);
	check_tree(&ept);
	assert_int_equal(fault_decide(&region, entry_at(MIB(2), 1), ACCESS_EXEC), FAULT_SPLIT);
	assert_int_equal(fault_decide(&region, entry_at(MIB(2), 1), ACCESS_WRITE), FAULT_RETRY);
	assert_int_equal(ept_split(&ept, at(MIB(2) + 0x3000)), OK);
	for (uint64_t offset = 0; offset < MIB(2); offset += PAGE_SIZE)
		assert_int_equal(entry_at(MIB(2) + offset, 0), (block + offset) | RWX | EPT_OWN);
	check_tree(&ept);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES + FRAME_BLOCK);
	assert_int_equal(setup(NULL), 0);
}

static void a_split_without_a_frame_changes_nothing(void **state)
{
	uint64_t before;

	assert_int_equal(ept_map(&ept, at(MIB(2)), GIB(1), MIB(2), RX), OK);
	before = entry_at(MIB(2), 1);
	ept.max_owned = ept.n_owned;
	assert_int_equal(ept_split(&ept, at(MIB(2))), ERR_NOMEM);
	assert_int_equal(entry_at(MIB(2), 1), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_large_page_is_executable),
		TEST(the_first_fetch_splits_one_large_page_to_the_smallest),
		TEST(a_split_keeps_what_else_is_allowed),
		TEST(a_copy_of_a_page_is_executable_and_so_are_its_neighbours),
		TEST(a_clone_splits_for_itself),
		TEST(an_own_large_page_is_executable_after_a_fetch),
		TEST(a_split_without_a_frame_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
