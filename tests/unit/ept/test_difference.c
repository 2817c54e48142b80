/* SPDX-License-Identifier: BSD-2-Clause */
/* What two trees do not share is found, page by page, however it is mapped. */
#include "hv/ept/difference.h"

#include "tests/unit/support.h"

#define N_FRAMES 1024
#define IMAGE	 MIB(8)
#define LARGE	 GIB(1) /* its bytes are not looked at */
#define SIZE	 MIB(8)
#define BUDGET	 100000
#define WB	 EPT_TYPE(MEMORY_TYPE_WB)

static struct ept ept, clone;
static struct ept_layer *layer;

/* Zeros below SIZE, and from SIZE on an image in large pages. */
static int setup(void **state)
{
	frame_reset();
	phys_arena(MIB(2), MIB(6) + SIZE);
	frame_add_range(MIB(2), N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map_zero(&ept, (gpa_t){0}, SIZE), OK);
	assert_int_equal(ept_map(&ept, (gpa_t){SIZE}, IMAGE, SIZE, EPT_R | EPT_X | WB), OK);
	return 0;
}

static void freeze(void)
{
	assert_int_equal(ept_freeze(&ept, &layer), OK);
	while (ept_layer_freeze_some(layer, 1000))
		;
	ept_clone(&clone, layer, EPT_UNLIMITED);
}

static void copy(struct ept *tree, uint64_t gpa)
{
	phys_t frame;

	assert_int_equal(ept_copy(tree, (gpa_t){gpa}, &frame), OK);
}

static uint64_t next(const struct ept *tree, phys_t below, uint64_t gpa, uint64_t end)
{
	unsigned budget = BUDGET;
	gpa_t found = ept_next_difference(tree, below, (gpa_t){gpa}, (gpa_t){end}, &budget);

	assert_true(budget > 0);
	return found.raw;
}

static void pages_that_are_not_zeros_are_found(void **state)
{
	assert_int_equal(next(&ept, 0, 0, SIZE), SIZE);
	copy(&ept, 0);
	copy(&ept, MIB(2) + PAGE_SIZE);
	copy(&ept, SIZE - PAGE_SIZE);
	assert_int_equal(next(&ept, 0, 0, SIZE), 0);
	assert_int_equal(next(&ept, 0, PAGE_SIZE, SIZE), MIB(2) + PAGE_SIZE);
	assert_int_equal(next(&ept, 0, MIB(2) + 2 * PAGE_SIZE, SIZE), SIZE - PAGE_SIZE);
	assert_int_equal(next(&ept, 0, PAGE_SIZE, MIB(2) + PAGE_SIZE), MIB(2) + PAGE_SIZE);
	assert_int_equal(next(&ept, 0, PAGE_SIZE, MIB(2)), MIB(2));
	/* Every page of an image may be anything. */
	for (uint64_t gpa = SIZE; gpa < SIZE + 3 * PAGE_SIZE; gpa += PAGE_SIZE)
		assert_int_equal(next(&ept, 0, gpa, 2 * SIZE), gpa);
}

static void pages_that_a_clone_has_written_are_found(void **state)
{
	struct ept below;
	struct ept_layer *above;

	copy(&ept, PAGE_SIZE);
	copy(&ept, SIZE + PAGE_SIZE);
	freeze();
	assert_int_equal(next(&clone, layer->root, 0, 2 * SIZE), 2 * SIZE);
	copy(&clone, PAGE_SIZE);	    /* the template's own */
	copy(&clone, 5 * PAGE_SIZE);	    /* zeros */
	copy(&clone, SIZE + PAGE_SIZE);	    /* beside the image's */
	copy(&clone, 2 * SIZE - PAGE_SIZE); /* of a large page */
	assert_int_equal(next(&clone, layer->root, 0, 2 * SIZE), PAGE_SIZE);
	assert_int_equal(next(&clone, layer->root, 2 * PAGE_SIZE, 2 * SIZE), 5 * PAGE_SIZE);
	assert_int_equal(next(&clone, layer->root, 6 * PAGE_SIZE, 2 * SIZE), SIZE + PAGE_SIZE);
	assert_int_equal(next(&clone, layer->root, SIZE + 2 * PAGE_SIZE, 2 * SIZE),
			 2 * SIZE - PAGE_SIZE);
	/* The other way round there is as much. */
	below = ept_view(layer->root);
	assert_int_equal(ept_freeze(&clone, &above), OK);
	assert_int_equal(next(&below, above->root, 0, 2 * SIZE), PAGE_SIZE);
	assert_int_equal(next(&below, above->root, SIZE + 2 * PAGE_SIZE, 2 * SIZE),
			 2 * SIZE - PAGE_SIZE);
}

static void another_image_differs_in_each_page(void **state)
{
	struct ept other;

	assert_int_equal(ept_init(&other, 3, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map(&other, (gpa_t){0}, LARGE, GIB(1), EPT_R | WB), OK);
	assert_int_equal(next(&other, ept.root, 0, GIB(1)), 0);
	assert_int_equal(next(&other, ept.root, PAGE_SIZE, GIB(1)), PAGE_SIZE);
	/* The same frames, by a page of 1 GiB and by smaller ones. */
	assert_int_equal(ept_map(&other, (gpa_t){GIB(1)}, LARGE, GIB(1), EPT_R | WB), OK);
	assert_int_equal(ept_map(&ept, (gpa_t){GIB(1)}, LARGE, MIB(4), EPT_R | WB), OK);
	assert_int_equal(next(&other, ept.root, GIB(1), GIB(2)), GIB(1) + MIB(4));
}

static void hidden_pages_are_found(void **state)
{
	gpa_t gpa = {EPT_HIDDEN_START};

	assert_int_equal(ept_map_zero(&ept, gpa, SIZE), OK);
	freeze();
	assert_int_equal(next(&clone, layer->root, gpa.raw, gpa.raw + SIZE), gpa.raw + SIZE);
	assert_int_equal(next(&clone, 0, gpa.raw, gpa.raw + SIZE), gpa.raw + SIZE);
	copy(&clone, gpa.raw + MIB(4));
	assert_int_equal(next(&clone, layer->root, gpa.raw, gpa.raw + SIZE), gpa.raw + MIB(4));
	assert_int_equal(next(&clone, 0, gpa.raw, gpa.raw + SIZE), gpa.raw + MIB(4));
}

static void the_search_stops_and_goes_on(void **state)
{
	gpa_t gpa = {0}, end = {SIZE};
	unsigned n = 0, budget;

	copy(&ept, SIZE - PAGE_SIZE);
	do {
		budget = 1;
		gpa = ept_next_difference(&ept, 0, gpa, end, &budget);
		n++;
	} while (budget == 0);
	assert_int_equal(gpa.raw, SIZE - PAGE_SIZE);
	/* Three tables of zeros at once, and 511 pages of the fourth. */
	assert_int_equal(n, 3 + 511 + 1);
	budget = 0;
	assert_int_equal(ept_next_difference(&ept, 0, gpa, end, &budget).raw, gpa.raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pages_that_are_not_zeros_are_found, setup),
		cmocka_unit_test_setup(pages_that_a_clone_has_written_are_found, setup),
		cmocka_unit_test_setup(another_image_differs_in_each_page, setup),
		cmocka_unit_test_setup(hidden_pages_are_found, setup),
		cmocka_unit_test_setup(the_search_stops_and_goes_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
