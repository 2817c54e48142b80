/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/iso9660.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define RECORD	  33 /* bytes before the name */
#define DIRECTORY 2
#define CONTINUES 0x80
#define PX	  "PX\x04\x01"
#define NM(text)  "NM" text

static uint8_t sector[ISO9660_SECTOR];
static unsigned used;

static int clear(void **state)
{
	memset(sector, 0, sizeof(sector));
	used = 0;
	return 0;
}

/* Put a record with an ISO 9660 name and 'use_len' bytes of system use entries. */
static uint8_t *put(const char *name, unsigned flags, const char *use, unsigned use_len)
{
	uint8_t *record = sector + used;
	unsigned name_len = (unsigned)strlen(name), use_at = RECORD + (name_len | 1);

	record[0] = (uint8_t)((use_at + use_len + 1) & ~1u);
	record[2] = (uint8_t)(0x10 + used); /* start: differs from record to record */
	record[3] = 0x02;
	record[10] = 0x34;
	record[11] = 0x12;
	record[25] = (uint8_t)flags;
	record[32] = (uint8_t)name_len;
	memcpy(record + RECORD, name, name_len);
	memcpy(record + use_at, use, use_len);
	used += record[0];
	return record;
}

/* From a copy on the heap, so that a read beyond the end is seen. */
static bool find(const char *name, struct iso9660_extent *ret)
{
	uint8_t *copy = malloc(sizeof(sector));
	bool found;

	memcpy(copy, sector, sizeof(sector));
	found = iso9660_find(copy, name, ret);
	free(copy);
	return found;
}

static void names_of_iso_9660_are_found_in_lower_case(void **state)
{
	struct iso9660_extent extent;

	put("", DIRECTORY, "", 0);
	put("STENCIL", DIRECTORY, "", 0);
	put("STENCIL.CONF;1", 0, "", 0);
	assert_true(find("stencil", &extent));
	assert_true(extent.directory);
	assert_int_equal(extent.start, (0x10 + 34 + 0x200) * ISO9660_SECTOR);
	assert_int_equal(extent.size, 0x1234);
	assert_true(find("stencil.conf", &extent));
	assert_false(extent.directory);
	assert_false(find("stencil.con", &extent));
	assert_false(find("stencil.conf;1", &extent));
	assert_false(find("ramdisk.cpio", &extent));
}

static void a_rock_ridge_name_hides_the_other(void **state)
{
	static const char use[] = PX NM("\x11\x01\x00ramdisk.cpio") NM("\x06\x01\x00x");
	struct iso9660_extent extent;

	put("RAMDISK.CPI;1", 0, use, sizeof(use) - 1);
	assert_true(find("ramdisk.cpio", &extent));
	assert_false(find("ramdisk.cpi", &extent));
	assert_false(find("x", &extent));
	assert_false(find("ramdisk.cpi\x01", &extent));
}

static void broken_system_use_entries_are_left_out(void **state)
{
	static const struct {
		const char *use;
		unsigned len;
	} rows[] = {
		{NM("\x00\x01\x00name"), 9}, {NM("\x03\x01\x00name"), 9},
		{NM("\xff\x01\x00name"), 9}, {NM("\x05\x01\x00"), 5},
		{NM("\x09\x01\x01name"), 9}, {"NM", 2},
		{NM("\x0a\x01\x00name"), 9}, {"AB\x00\x00" NM("\x09\x01\x00name"), 13},
	};
	struct iso9660_extent extent;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		clear(NULL);
		put("F", 0, rows[i].use, rows[i].len & ~1u);
		assert_true(find("f", &extent));
		assert_false(find("name", &extent));
	}
}

static void a_file_in_pieces_is_refused(void **state)
{
	struct iso9660_extent extent;

	put("F;1", CONTINUES, "", 0);
	put("F;1", 0, "", 0);
	assert_false(find("f", &extent));
}

static void records_stay_inside_the_sector(void **state)
{
	struct iso9660_extent extent;

	for (unsigned len = 0; len < 256; len++) {
		clear(NULL);
		while (used + 40 <= sizeof(sector))
			put("ABCDEF", 0, "", 0);
		memset(sector + used, 0, sizeof(sector) - used);
		sector[used - 40] = (uint8_t)len;
		assert_false(find("z", &extent));
	}
	for (unsigned name_len = 0; name_len < 256; name_len++) {
		clear(NULL);
		put("F", 0, "", 0)[32] = (uint8_t)name_len;
		assert_int_equal(find("f", &extent), name_len == 1);
	}
}

static void make_descriptor(void)
{
	clear(NULL);
	memcpy(sector, "\1CD001\1", 7);
	sector[129] = 0x08;
	sector[156] = 34;
	sector[158] = 19;
	sector[166] = 0x00;
	sector[167] = 0x08;
	sector[181] = DIRECTORY;
}

static void the_root_is_in_the_descriptor(void **state)
{
	static const uint16_t wrong[] = {0, 1, 5, 6, 128, 129, 156, 181};
	struct iso9660_extent root;

	make_descriptor();
	assert_true(iso9660_root(sector, &root));
	assert_int_equal(root.start, 19 * ISO9660_SECTOR);
	assert_int_equal(root.size, 2048);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		make_descriptor();
		sector[wrong[i]] ^= 2;
		assert_false(iso9660_root(sector, &root));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_of_iso_9660_are_found_in_lower_case, clear),
		cmocka_unit_test_setup(a_rock_ridge_name_hides_the_other, clear),
		cmocka_unit_test_setup(broken_system_use_entries_are_left_out, clear),
		cmocka_unit_test_setup(a_file_in_pieces_is_refused, clear),
		cmocka_unit_test_setup(records_stay_inside_the_sector, clear),
		cmocka_unit_test(the_root_is_in_the_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
