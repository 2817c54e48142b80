/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/identity_map.h"

#include <string.h>

#include "tests/unit/support.h"

#define N_PAGES 64
#define LEVELS	4

static uint64_t pool[N_PAGES * 512] __attribute__((aligned(4096)));
static const struct identity_map variants[] = {
	{.pool = pool, .n_pages = N_PAGES, .has_1gib = true},
	{.pool = pool, .n_pages = N_PAGES, .has_1gib = false},
};

/* As the processor walks; UINT64_MAX when not mapped, or not writable. */
static uint64_t translate(const struct identity_map *map, uint64_t addr)
{
	const uint64_t *table = map->pool;

	for (int level = LEVELS; level > 0; level--) {
		uint64_t size = UINT64_C(1) << (12 + 9 * (level - 1));
		uint64_t entry = table[addr / size % 512];

		if ((entry & 3) != 3)
			return UINT64_MAX;
		if (level == 1 || entry & 0x80) {
			assert_true(level == 2 || (level == 3 && map->has_1gib));
			assert_int_equal(entry & (size - 1) & ~UINT64_C(0x83), 0);
			return (entry & ~(size - 1)) + addr % size;
		}
		assert_int_equal(entry & 0xfff, 3);
		table = (const uint64_t *)(uintptr_t)(entry & ~UINT64_C(0xfff));
	}
	return UINT64_MAX;
}

static void check_mapped(const struct identity_map *map, uint64_t start, uint64_t len)
{
	for (uint64_t addr = start; addr < start + len; addr += MIB(1))
		assert_int_equal(translate(map, addr), addr);
	assert_int_equal(translate(map, start + len - 1), start + len - 1);
}

static void ranges_are_mapped_to_themselves(void **state)
{
	static const uint64_t ranges[][2] = {
		{0, GIB(4)},
		{MIB(3), 1},
		{GIB(4) - 1, 2},
		{GIB(4), GIB(3)},
		{GIB(7) + KIB(4), KIB(4)},
		{GIB(511) + MIB(1), GIB(2)},
		{GIB(3) + MIB(7), GIB(2)},
		{BIT(46) - MIB(5), MIB(9)},
		{BIT(47) - 1, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(ranges); j++) {
			struct identity_map map = variants[i];

			memset(pool, 0xff, sizeof(pool));
			assert_true(identity_map_add(&map, ranges[j][0], ranges[j][1]));
			check_mapped(&map, ranges[j][0], ranges[j][1]);
		}
	}
}

static void later_ranges_leave_earlier_ones_alone(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct identity_map map = variants[i];

		memset(pool, 0xff, sizeof(pool));
		assert_true(identity_map_add(&map, MIB(2), MIB(2)));
		assert_true(identity_map_add(&map, GIB(600), GIB(1)));
		assert_true(identity_map_add(&map, MIB(6), MIB(2)));
		assert_true(identity_map_add(&map, MIB(3), KIB(4)));
		check_mapped(&map, MIB(2), MIB(2));
		check_mapped(&map, MIB(6), MIB(2));
		check_mapped(&map, GIB(600), GIB(1));
		assert_int_equal(translate(&map, 0), UINT64_MAX);
		assert_int_equal(translate(&map, MIB(4)), UINT64_MAX);
		assert_int_equal(translate(&map, MIB(8)), UINT64_MAX);
		assert_int_equal(translate(&map, GIB(599)), UINT64_MAX);
		assert_int_equal(translate(&map, GIB(601)), UINT64_MAX);
	}
}

static void nothing_is_mapped_where_there_are_no_addresses(void **state)
{
	static const uint64_t starts[] = {BIT(56), BIT(63), UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct identity_map map = variants[i];

		for (size_t j = 0; j < ARRAY_SIZE(starts); j++)
			assert_true(identity_map_add(&map, starts[j], GIB(1)));
		assert_true(identity_map_add(&map, GIB(1), 0));
		assert_int_equal(map.n_used, 0);
	}
}

static void a_range_ends_with_the_addresses(void **state)
{
	struct identity_map map = variants[0];

	memset(pool, 0xff, sizeof(pool));
	assert_true(identity_map_add(&map, BIT(47) - GIB(2), UINT64_MAX));
	check_mapped(&map, BIT(47) - GIB(2), GIB(2));
	assert_int_equal(pool[256], 0);
}

static void a_pool_too_small_says_so_and_keeps_what_it_has(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct identity_map map = variants[i];
		size_t n_needed;

		assert_true(identity_map_add(&map, 0, GIB(4)));
		assert_true(identity_map_add(&map, GIB(700), 1));
		n_needed = map.n_used;
		for (size_t n_pages = 0; n_pages <= n_needed; n_pages++) {
			map = variants[i];
			map.n_pages = n_pages;
			memset(pool, 0xff, sizeof(pool));
			assert_int_equal(identity_map_add(&map, 0, GIB(4)) &&
						 identity_map_add(&map, GIB(700), 1),
					 n_pages == n_needed);
			assert_true(map.n_used <= n_pages);
			assert_int_equal(pool[512 * n_pages], UINT64_MAX);
			if (n_pages >= LEVELS - 1)
				check_mapped(&map, 0, MIB(2));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_mapped_to_themselves),
		cmocka_unit_test(later_ranges_leave_earlier_ones_alone),
		cmocka_unit_test(nothing_is_mapped_where_there_are_no_addresses),
		cmocka_unit_test(a_range_ends_with_the_addresses),
		cmocka_unit_test(a_pool_too_small_says_so_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
