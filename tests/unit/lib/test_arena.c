/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/lib/arena.h"

#include <string.h>

#include "tests/unit/support.h"

static char memory[64] __attribute__((aligned(16)));

static void objects_are_aligned_and_zeroed(void **state)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};

	memset(memory, 0xff, sizeof(memory));
	char *a = arena_alloc(&arena, 3), *b = arena_alloc(&arena, 5);

	assert_int_equal(b - a, 16);
	assert_int_equal(a[0] | a[2] | b[4], 0);
}

static void a_full_arena_says_so_and_keeps_what_it_has(void **state)
{
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	char *a = arena_strndup(&arena, "abcdef", 3);

	assert_string_equal(a, "abc");
	assert_null(arena_alloc(&arena, 49));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_strndup(&arena, "x", SIZE_MAX));
	assert_non_null(arena_alloc(&arena, 48));
	assert_null(arena_alloc(&arena, 1));
	assert_string_equal(a, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_aligned_and_zeroed),
		cmocka_unit_test(a_full_arena_says_so_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
