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

static char step[2][64] __attribute__((aligned(16)));
static unsigned n_steps;

static void *two_steps(size_t size, size_t *ret_size)
{
	*ret_size = sizeof(step[0]);
	return size <= sizeof(step[0]) && n_steps < 2 ? step[n_steps++] : NULL;
}

static void it_grows_while_there_is_more(void **state)
{
	struct arena arena = {.more = two_steps};
	char *first, *second;

	memset(step, 0xff, sizeof(step));
	assert_null(arena_alloc(&arena, 65));
	first = arena_strndup(&arena, "abcdef", 6);
	assert_ptr_equal(first, step[0]);
	assert_ptr_equal(arena_alloc(&arena, 48), step[0] + 16);
	second = arena_alloc(&arena, 64);
	assert_ptr_equal(second, step[1]);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(second[i], 0);
	assert_string_equal(first, "abcdef");
	assert_null(arena_alloc(&arena, 1));
	/* A failure changes nothing. */
	assert_int_equal(arena.used, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_aligned_and_zeroed),
		cmocka_unit_test(it_grows_while_there_is_more),
		cmocka_unit_test(a_full_arena_says_so_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
