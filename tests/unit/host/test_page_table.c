/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/page_table.h"

#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#define TABLES	 MIB(1) /* where the frames for tables are */
#define N_TABLES 512
#define RW	 (PT_P | PT_W | PT_NX)
#define RX	 PT_P
#define RO	 (PT_P | PT_NX)
#define LEFT_IN	 (PT_ADDR | PT_LEAF | PT_A | PT_D) /* what an attribute does not say */

static unsigned n_used, n_allowed;

/* Seam: as many frames as the test allows. */
phys_t frame_alloc_zeroed(void)
{
	if (n_used == n_allowed)
		return 0;
	return TABLES + PAGE_SIZE * n_used++;
}

static struct page_table make(bool has_1g)
{
	phys_arena(TABLES, N_TABLES * PAGE_SIZE);
	n_used = 0;
	n_allowed = N_TABLES;
	return (struct page_table){.root = frame_alloc_zeroed(), .has_1g = has_1g};
}

/* Attributes of the page, after a check that it stands at its own address. */
static uint64_t attr_at(const struct page_table *pt, uint64_t virt)
{
	uint64_t size, entry = page_table_walk(pt, virt, &size);

	if (entry != 0)
		assert_int_equal(entry & PT_ADDR, align_down(virt, size));
	return entry & ~LEFT_IN;
}

static uint64_t size_at(const struct page_table *pt, uint64_t virt)
{
	uint64_t size = 0;

	page_table_walk(pt, virt, &size);
	return size;
}

static void the_largest_page_that_fits_is_used(void **state)
{
	struct page_table pt = make(true);

	assert_int_equal(page_table_set(&pt, PAGE_SIZE, GIB(3) - PAGE_SIZE, RW), OK);
	assert_int_equal(size_at(&pt, 0), 0);
	assert_int_equal(size_at(&pt, PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(size_at(&pt, MIB(2) - 1), PAGE_SIZE);
	assert_int_equal(size_at(&pt, MIB(2)), MIB(2));
	assert_int_equal(size_at(&pt, GIB(1) - 1), MIB(2));
	assert_int_equal(size_at(&pt, GIB(1)), GIB(1));
	assert_int_equal(size_at(&pt, GIB(3) - 1), GIB(1));
	assert_int_equal(size_at(&pt, GIB(3)), 0);
}

static void without_1g_pages_2m_ones_are_used(void **state)
{
	struct page_table pt = make(false);

	assert_int_equal(page_table_set(&pt, GIB(1), GIB(1), RW), OK);
	assert_int_equal(size_at(&pt, GIB(1)), MIB(2));
	assert_int_equal(size_at(&pt, GIB(2) - 1), MIB(2));
}

static void a_split_changes_one_page_and_no_other(void **state)
{
	struct page_table pt = make(true);
	uint64_t hole = GIB(1) + MIB(4) + 7 * PAGE_SIZE;

	assert_int_equal(page_table_set(&pt, 0, GIB(4), RW), OK);
	assert_int_equal(page_table_set(&pt, hole, PAGE_SIZE, 0), OK);
	assert_int_equal(page_table_walk(&pt, hole, NULL), 0);
	assert_int_equal(attr_at(&pt, hole - 1), RW);
	assert_int_equal(attr_at(&pt, hole + PAGE_SIZE), RW);
	assert_int_equal(size_at(&pt, hole - 1), PAGE_SIZE);
	assert_int_equal(size_at(&pt, GIB(1)), MIB(2));
	assert_int_equal(size_at(&pt, GIB(2)), GIB(1));
	for (uint64_t virt = GIB(1); virt < GIB(2); virt += MIB(2))
		assert_int_equal(attr_at(&pt, virt), RW);
}

static void unmapping_what_is_not_there_needs_no_table(void **state)
{
	struct page_table pt = make(true);
	unsigned before = n_used;

	assert_int_equal(page_table_set(&pt, GIB(7) + PAGE_SIZE, MIB(1), 0), OK);
	assert_int_equal(page_table_set_writable(&pt, GIB(7) + PAGE_SIZE, MIB(1), true), OK);
	assert_int_equal(n_used, before);
	assert_int_equal(page_table_walk(&pt, GIB(7) + PAGE_SIZE, NULL), 0);
}

static void write_permission_comes_and_goes_and_all_else_stays(void **state)
{
	struct page_table pt = make(true);

	assert_int_equal(page_table_set(&pt, 0, GIB(1), RW | PT_PWT), OK);
	assert_int_equal(page_table_set(&pt, MIB(4), PAGE_SIZE, 0), OK);
	assert_int_equal(page_table_set_writable(&pt, MIB(2), MIB(4), false), OK);
	assert_int_equal(attr_at(&pt, MIB(2) - 1), RW | PT_PWT);
	assert_int_equal(attr_at(&pt, MIB(2)), RO | PT_PWT);
	assert_int_equal(size_at(&pt, MIB(2)), MIB(2));
	assert_int_equal(attr_at(&pt, MIB(4)), 0);
	assert_int_equal(attr_at(&pt, MIB(6) - 1), RO | PT_PWT);
	assert_int_equal(attr_at(&pt, MIB(6)), RW | PT_PWT);
	assert_int_equal(page_table_set_writable(&pt, MIB(2), MIB(4), true), OK);
	assert_int_equal(attr_at(&pt, MIB(2)), RW | PT_PWT);
	assert_int_equal(attr_at(&pt, MIB(4)), 0);
}

static void bad_ranges_are_refused_and_change_nothing(void **state)
{
	struct page_table pt = make(true);

	assert_int_equal(page_table_set(&pt, 1, PAGE_SIZE, RW), ERR_INVAL);
	assert_int_equal(page_table_set(&pt, PAGE_SIZE, 12, RW), ERR_INVAL);
	assert_int_equal(page_table_set(&pt, PT_LIMIT, PAGE_SIZE, RW), ERR_RANGE);
	assert_int_equal(page_table_set(&pt, PAGE_SIZE, PT_LIMIT, RW), ERR_RANGE);
	assert_int_equal(page_table_set(&pt, -PAGE_SIZE, 2 * PAGE_SIZE, RW), ERR_RANGE);
	assert_int_equal(page_table_set_writable(&pt, 1, PAGE_SIZE, true), ERR_INVAL);
	assert_int_equal(n_used, 1);
	assert_int_equal(page_table_set(&pt, PT_LIMIT - PAGE_SIZE, PAGE_SIZE, RW), OK);
	assert_int_equal(attr_at(&pt, PT_LIMIT - 1), RW);
	assert_int_not_equal(page_table_walk(&pt, PT_LIMIT - 1, NULL), 0);
	assert_int_equal(page_table_walk(&pt, PT_LIMIT, NULL), 0);
}

static void out_of_frames_old_mappings_stay(void **state)
{
	for (unsigned n = 0;; n++) {
		struct page_table pt = make(true);

		assert_int_equal(page_table_set(&pt, 0, GIB(2), RW), OK);
		n_allowed = n_used + n;
		enum status status = page_table_set(&pt, MIB(3), PAGE_SIZE, RO);

		assert_int_equal(attr_at(&pt, MIB(3)), status == OK ? RO : RW);
		assert_int_equal(attr_at(&pt, MIB(3) - 1), RW);
		assert_int_equal(attr_at(&pt, GIB(1) - 1), RW);
		if (status == OK)
			break;
		assert_int_equal(status, ERR_NOMEM);
		assert_in_range(n, 0, 1);
	}
}

static void a_writable_executable_page_is_found_at_every_size(void **state)
{
	static const uint64_t sizes[] = {PAGE_SIZE, MIB(2), GIB(1)};
	uint64_t virt;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct page_table pt = make(true);

		assert_int_equal(page_table_set(&pt, 0, GIB(4), RW), OK);
		assert_int_equal(page_table_set(&pt, GIB(3), sizes[i], RX), OK);
		assert_false(page_table_find_wx(&pt, &virt));
		assert_int_equal(page_table_set(&pt, GIB(3), sizes[i], PT_P | PT_W), OK);
		assert_true(page_table_find_wx(&pt, &virt));
		assert_int_equal(virt, GIB(3));
		assert_int_equal(size_at(&pt, virt), sizes[i]);
	}
}

/* Random ranges over a small window, against an array with one attribute a page. */
static void tables_agree_with_a_flat_array(void **state)
{
	enum { PAGES = 2048 }; /* 8 MiB that cross a 1 GiB boundary */
	static const uint64_t attrs[] = {0, RW, RO, RX, RW | PT_PWT | PT_PCD};
	static uint64_t model[PAGES];
	const uint64_t base = GIB(1) - MIB(4);

	srand(1);
	for (unsigned round = 0; round < 20; round++) {
		struct page_table pt = make(round % 2);

		memset(model, 0, sizeof(model));
		for (unsigned step = 0; step < 30; step++) {
			unsigned shift = (unsigned)rand() % 3 * 4, n, first;

			first = ((unsigned)rand() % PAGES) >> shift << shift;
			n = (((unsigned)rand() % (PAGES - first)) >> shift << shift) + 1;
			uint64_t attr = attrs[(unsigned)rand() % ARRAY_SIZE(attrs)];
			bool protect = rand() % 3 == 0, write = rand() % 2;

			if (protect)
				assert_int_equal(page_table_set_writable(&pt,
									 base + first * PAGE_SIZE,
									 n * PAGE_SIZE, write),
						 OK);
			else
				assert_int_equal(page_table_set(&pt, base + first * PAGE_SIZE,
								n * PAGE_SIZE, attr),
						 OK);
			for (unsigned i = first; i < first + n; i++) {
				if (!protect)
					model[i] = attr;
				else if (model[i] != 0)
					model[i] = (model[i] & ~PT_W) | (write ? PT_W : 0);
			}
		}
		for (unsigned i = 0; i < PAGES; i++)
			assert_int_equal(attr_at(&pt, base + i * PAGE_SIZE), model[i]);
	}
}

static void a_split_range_needs_no_further_table(void **state)
{
	struct page_table pt = make(true);
	unsigned n;

	assert_int_equal(page_table_set(&pt, 0, GIB(2), RW), OK);
	assert_int_equal(page_table_set(&pt, GIB(3), MIB(4), RO), OK);
	assert_int_equal(page_table_split(&pt, MIB(2), MIB(4)), OK);
	assert_int_equal(page_table_split(&pt, GIB(2), GIB(1) + MIB(2)), OK);
	n = n_used;
	assert_int_equal(size_at(&pt, 0), MIB(2));
	assert_int_equal(size_at(&pt, MIB(2)), PAGE_SIZE);
	assert_int_equal(size_at(&pt, MIB(6) - PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(size_at(&pt, MIB(6)), MIB(2));
	assert_int_equal(size_at(&pt, GIB(1)), GIB(1));
	assert_int_equal(size_at(&pt, GIB(3)), PAGE_SIZE);
	assert_int_equal(attr_at(&pt, MIB(3)), RW);
	assert_int_equal(attr_at(&pt, GIB(3) + PAGE_SIZE), RO);
	assert_int_equal(attr_at(&pt, GIB(2)), 0);

	assert_int_equal(page_table_set_writable(&pt, MIB(3), PAGE_SIZE, false), OK);
	assert_int_equal(attr_at(&pt, MIB(3)), RO);
	assert_int_equal(attr_at(&pt, MIB(3) + PAGE_SIZE), RW);
	assert_int_equal(page_table_split(&pt, MIB(2), MIB(4)), OK);
	assert_int_equal(attr_at(&pt, MIB(3)), RO);
	assert_int_equal(n_used, n);
}

static void a_split_without_tables_changes_no_page(void **state)
{
	struct page_table pt = make(true);

	assert_int_equal(page_table_set(&pt, 0, GIB(1), RW), OK);
	n_allowed = n_used + 2; /* 2 MiB pages, and one table of them */
	assert_int_equal(page_table_split(&pt, 0, MIB(4)), ERR_NOMEM);
	assert_int_equal(size_at(&pt, 0), PAGE_SIZE);
	assert_int_equal(size_at(&pt, MIB(2)), MIB(2));
	assert_int_equal(attr_at(&pt, 0), RW);
	assert_int_equal(attr_at(&pt, MIB(2)), RW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_page_that_fits_is_used),
		cmocka_unit_test(a_split_range_needs_no_further_table),
		cmocka_unit_test(a_split_without_tables_changes_no_page),
		cmocka_unit_test(without_1g_pages_2m_ones_are_used),
		cmocka_unit_test(a_split_changes_one_page_and_no_other),
		cmocka_unit_test(unmapping_what_is_not_there_needs_no_table),
		cmocka_unit_test(write_permission_comes_and_goes_and_all_else_stays),
		cmocka_unit_test(bad_ranges_are_refused_and_change_nothing),
		cmocka_unit_test(out_of_frames_old_mappings_stay),
		cmocka_unit_test(a_writable_executable_page_is_found_at_every_size),
		cmocka_unit_test(tables_agree_with_a_flat_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
