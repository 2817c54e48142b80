/* SPDX-License-Identifier: BSD-2-Clause */
/* A parcel that was damaged anywhere, or that says what cannot be, is refused. */
#include "boot/parcel.h"

#include <string.h>

#include "tests/unit/support.h"

static struct parcel head;
static struct parcel_file table[2];

static void seal(void)
{
	head.table_checksum = parcel_checksum(table, head.n_files * sizeof(*table));
	head.checksum = parcel_head_checksum(&head);
}

static int setup(void **state)
{
	head = (struct parcel){
		.magic = PARCEL_MAGIC,
		.version = PARCEL_VERSION,
		.after = PARCEL_BOOT,
		.table = MIB(64),
		.n_files = 2,
	};
	memset(table, 0, sizeof(table));
	table[0] = (struct parcel_file){.start = MIB(65), .size = 1, .name = "/t.mem"};
	table[1] = (struct parcel_file){.start = MIB(66), .size = MIB(4), .name = "/a/t.state"};
	seal();
	return 0;
}

static bool is_taken(void)
{
	return parcel_is_sound(&head) && parcel_table_is_sound(&head, table);
}

static void a_whole_parcel_is_taken(void **state)
{
	assert_true(is_taken());
	head.after = PARCEL_SWITCH_OFF;
	seal();
	assert_true(is_taken());
}

static void each_changed_bit_is_noticed(void **state)
{
	for (size_t at = 0; at < 8 * sizeof(head); at++) {
		((char *)&head)[at / 8] ^= (char)(1 << at % 8);
		assert_false(parcel_is_sound(&head));
		((char *)&head)[at / 8] ^= (char)(1 << at % 8);
	}
	for (size_t at = 0; at < 8 * sizeof(table); at++) {
		((char *)table)[at / 8] ^= (char)(1 << at % 8);
		assert_false(parcel_table_is_sound(&head, table));
		((char *)table)[at / 8] ^= (char)(1 << at % 8);
	}
	assert_true(is_taken());
}

/* The checksums are right, and the rest is not. */
static void refuse(void)
{
	seal();
	assert_false(is_taken());
	setup(NULL);
}

static void an_impossible_head_is_refused(void **state)
{
	head.version++;
	refuse();
	head.after = PARCEL_BOOT + 1;
	refuse();
	head.table = 0;
	refuse();
	head.table++;
	refuse();
	head.table = UINT64_C(1) << 52;
	refuse();
	head.n_files = 0;
	head.checksum = parcel_head_checksum(&head);
	assert_false(parcel_is_sound(&head));
	head.n_files = PARCEL_FILES_MAX + 1;
	head.checksum = parcel_head_checksum(&head);
	assert_false(parcel_is_sound(&head));
}

static void impossible_files_are_refused(void **state)
{
	table[1].start = 0;
	refuse();
	table[1].start++;
	refuse();
	table[1].start = UINT64_C(1) << 52;
	refuse();
	table[1].size = 0;
	refuse();
	table[1].size = PARCEL_SIZE_MAX;
	refuse();
	table[1].size = UINT64_MAX;
	refuse();
}

static void names_are_paths_without_control_characters(void **state)
{
	static const char *const names[] = {"", "/", "t", "t/", "/a\n", "/\x1b[2J", "/a\x7f"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		strcpy(table[0].name, names[i]);
		refuse();
	}
	memset(table[0].name, 'x', PARCEL_NAME_SIZE);
	table[0].name[0] = '/';
	refuse();
	memset(table[0].name, 'x', PARCEL_NAME_SIZE - 1);
	table[0].name[0] = '/';
	seal();
	assert_true(is_taken());
}

static void the_checksum_sees_every_byte_and_the_length(void **state)
{
	static unsigned char data[26];

	for (uint64_t len = 0; len < sizeof(data); len++) {
		uint64_t sum = parcel_checksum(data, len);

		assert_int_not_equal(sum, parcel_checksum(data, len + 1));
		for (uint64_t at = 0; at < len; at++) {
			data[at] = 1;
			assert_int_not_equal(sum, parcel_checksum(data, len));
			data[at] = 0;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_parcel_is_taken, setup),
		cmocka_unit_test_setup(each_changed_bit_is_noticed, setup),
		cmocka_unit_test_setup(an_impossible_head_is_refused, setup),
		cmocka_unit_test_setup(impossible_files_are_refused, setup),
		cmocka_unit_test_setup(names_are_paths_without_control_characters, setup),
		cmocka_unit_test(the_checksum_sees_every_byte_and_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
