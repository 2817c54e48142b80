/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/symbols.h"

#include "tests/unit/support.h"

const char image_base[0x1000];
const char symbol_names[] = "\0start\0run\0after";
const struct symbol_entry symbol_table[] = {
	{.offset = 0x100, .name = 1},
	{.offset = 0x180, .name = 7},
	{.offset = 0x200, .name = 0},
	{.offset = 0x300, .name = 11},
};
const uint32_t symbol_count = ARRAY_SIZE(symbol_table);

/* Of these functions, "start" is start-only. */
__asm__(".globl init_start, init_end\n"
	".set init_start, image_base + 0x100\n"
	".set init_end, image_base + 0x180");

static const char *find(uint64_t at, uint64_t *ret_offset)
{
	return symbol_find((uintptr_t)image_base + at, ret_offset);
}

static void each_address_belongs_to_the_last_symbol_before_it(void **state)
{
	for (uint64_t at = 0x100; at < 0x1000; at++) {
		const char *name = at < 0x180 ? "start" : at < 0x200 ? "run" : "after";
		uint64_t start = at < 0x180 ? 0x100 : at < 0x200 ? 0x180 : 0x300, offset = ~0ull;

		if (at >= 0x200 && at < 0x300)
			continue;
		assert_string_equal(find(at, &offset), name);
		assert_int_equal(offset, at - start);
	}
}

static void what_is_no_code_has_no_name(void **state)
{
	uint64_t offset = 7;

	assert_null(find(0, &offset));
	assert_null(find(0xff, &offset));
	assert_null(find(0x200, &offset));
	assert_null(find(0x2ff, &offset));
	assert_null(symbol_find(0, &offset));
	assert_null(symbol_find((uintptr_t)image_base - 1, &offset));
	assert_int_equal(offset, 7);
}

static void start_only_functions_lie_between_the_edges(void **state)
{
	const char *base = image_base;

	assert_null(symbol_find_start_only((uintptr_t)base + 0xff));
	assert_string_equal(symbol_find_start_only((uintptr_t)base + 0x100), "start");
	assert_string_equal(symbol_find_start_only((uintptr_t)base + 0x17f), "start");
	assert_null(symbol_find_start_only((uintptr_t)base + 0x180));
	assert_null(symbol_find_start_only((uintptr_t)base + 0x300));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_belongs_to_the_last_symbol_before_it),
		cmocka_unit_test(what_is_no_code_has_no_name),
		cmocka_unit_test(start_only_functions_lie_between_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
