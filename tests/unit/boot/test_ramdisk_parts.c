/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/ramdisk_parts.h"

#include "tests/unit/support.h"

#define A_PART (MIB(4096) - MIB(2))

static void names_are_numbered_from_the_second_on(void **state)
{
	static const struct {
		unsigned i;
		const char *name;
	} cases[] = {
		{0, "ramdisk.cpio"},	 {1, "ramdisk-2.cpio"},
		{8, "ramdisk-9.cpio"},	 {9, "ramdisk-10.cpio"},
		{18, "ramdisk-19.cpio"}, {RAMDISK_PARTS_MAX - 1, "ramdisk-99.cpio"},
	};
	char name[RAMDISK_PART_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ramdisk_part_name("ramdisk", cases[i].i, name);
		assert_string_equal(name, cases[i].name);
	}
	ramdisk_part_name("handover", RAMDISK_PARTS_MAX - 1, name);
	assert_string_equal(name, "handover-99.cpio");
}

static void parts_of_one_archive_join_without_a_gap(void **state)
{
	struct ramdisk_parts parts = {};

	assert_true(ramdisk_parts_add(&parts, A_PART));
	assert_true(ramdisk_parts_add(&parts, A_PART));
	assert_true(ramdisk_parts_add(&parts, 512));
	assert_int_equal(parts.n, 3);
	assert_int_equal(parts.start[0], 0);
	assert_int_equal(parts.start[1], A_PART);
	assert_int_equal(parts.start[2], 2 * A_PART);
	assert_int_equal(parts.len, 2 * A_PART + 512);
}

static void several_archives_keep_their_alignment(void **state)
{
	struct ramdisk_parts parts = {};

	assert_true(ramdisk_parts_add(&parts, 1));
	assert_true(ramdisk_parts_add(&parts, MIB(2) + 512));
	assert_true(ramdisk_parts_add(&parts, 0));
	assert_int_equal(parts.start[1], MIB(2));
	assert_int_equal(parts.start[2], MIB(6));
	assert_int_equal(parts.len, MIB(6));
}

static void too_many_and_too_large_are_refused(void **state)
{
	struct ramdisk_parts parts = {};

	assert_false(ramdisk_parts_add(&parts, UINT64_MAX));
	assert_false(ramdisk_parts_add(&parts, RAMDISK_PARTS_SIZE_MAX + 1));
	assert_int_equal(parts.n, 0);
	assert_true(ramdisk_parts_add(&parts, 1));
	assert_false(ramdisk_parts_add(&parts, RAMDISK_PARTS_SIZE_MAX - MIB(2) + 1));
	for (unsigned i = 1; i < RAMDISK_PARTS_MAX; i++)
		assert_true(ramdisk_parts_add(&parts, 1));
	assert_false(ramdisk_parts_add(&parts, 1));
	assert_int_equal(parts.n, RAMDISK_PARTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_numbered_from_the_second_on),
		cmocka_unit_test(parts_of_one_archive_join_without_a_gap),
		cmocka_unit_test(several_archives_keep_their_alignment),
		cmocka_unit_test(too_many_and_too_large_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
