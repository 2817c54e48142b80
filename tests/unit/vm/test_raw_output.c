/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/raw_output.h"

#include <string.h>

#include "tests/unit/support.h"

static struct raw_output raw;
static char taken[2 * OUTPUT_RING_SIZE];
static size_t n_taken;

static int begin(void **state)
{
	raw = (struct raw_output){};
	n_taken = 0;
	raw_output_begin(&raw, "v", 0x12ab);
	return 0;
}

static void put(const char *text)
{
	while (*text)
		raw_output_put(&raw, (uint8_t)*text++);
}

static void take_all(void)
{
	size_t n;

	while ((n = raw_output_take(&raw, taken + n_taken)) > 0)
		n_taken += n;
	taken[n_taken] = '\0';
}

static void bytes_pass_unchanged(void **state)
{
	put("\x1b[31mred\r\n\x07");
	take_all();
	assert_string_equal(taken, "\x1b[31mred\r\n\x07");
	assert_int_equal(raw.state, RAW_ON);
}

static void the_end_comes_last_with_its_code(void **state)
{
	put("stencil: console: 0000000000000000: end of the raw output of VM v\n");
	put("last");
	raw_output_end(&raw);
	assert_int_equal(raw.state, RAW_ENDS);
	take_all();
	assert_string_equal(strstr(taken, "last"),
			    "last\x1b[!p\n"
			    "stencil: console: 00000000000012ab: end of the raw output of VM v\n");
	assert_int_equal(raw.state, RAW_OFF);
	raw_output_end(&raw);
	take_all();
	assert_int_equal(raw.state, RAW_OFF);
	raw_output_begin(&raw, "w", 1);
	assert_int_equal(raw.state, RAW_ON);
}

static void the_longest_name_has_room(void **state)
{
	char name[CLONE_NAME_SIZE];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	raw = (struct raw_output){};
	raw_output_begin(&raw, name, UINT64_MAX);
	raw_output_end(&raw);
	take_all();
	assert_in_range(n_taken, sizeof(name), RAW_PIECE_MAX);
	assert_non_null(strstr(taken, name));
	assert_int_equal(taken[n_taken - 1], '\n');
}

static void half_a_ring_holds_the_vm(void **state)
{
	char piece[RAW_PIECE_MAX];

	for (unsigned i = 0; i < OUTPUT_RING_SIZE / 2 - 1; i++)
		raw_output_put(&raw, 'x');
	assert_false(raw_output_holds_vm(&raw));
	raw_output_put(&raw, 'x');
	assert_true(raw_output_holds_vm(&raw));
	assert_false(raw_output_frees_vm(&raw));
	assert_int_equal(raw_output_take(&raw, piece), RAW_PIECE_MAX);
	assert_true(raw_output_frees_vm(&raw));
	assert_false(raw_output_frees_vm(&raw));
}

static void a_guest_that_does_not_look_loses_its_newest_bytes(void **state)
{
	for (unsigned i = 0; i < OUTPUT_RING_SIZE; i++)
		raw_output_put(&raw, 'x');
	put("lost");
	take_all();
	assert_int_equal(n_taken, OUTPUT_RING_SIZE);
	assert_null(strstr(taken, "lost"));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_pass_unchanged),
		TEST(the_end_comes_last_with_its_code),
		TEST(the_longest_name_has_room),
		TEST(half_a_ring_holds_the_vm),
		TEST(a_guest_that_does_not_look_loses_its_newest_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
