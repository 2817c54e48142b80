/* SPDX-License-Identifier: BSD-2-Clause */
/* Archives for the disk: the ramdisk's own reader takes them, and the data are where it wants them.
 */
#include "boot/newc.h"

#include <stdio.h>
#include <string.h>

#include "hv/backends/cpio.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#include "tests/unit/image_find.h"

#define BASE  MIB(16)
#define BYTES MIB(16)

static char memory[1 << 16] __attribute__((aligned(16)));
static struct arena arena;
static struct diag diag;
static struct newc archive;
static char *bytes;
static size_t len;

static int setup(void **state)
{
	arena = (struct arena){.base = memory, .size = sizeof(memory)};
	diag = (struct diag){.file = "t"};
	archive = (struct newc){0};
	bytes = phys_arena(BASE, BYTES);
	memset(bytes, 0, BYTES);
	len = 0;
	return 0;
}

static void put(const char *header, unsigned size)
{
	memcpy(bytes + len, header, size);
	len += size;
}

static void add(const char *name, size_t size, char fill)
{
	char header[NEWC_HEADER_MAX];
	uint64_t filler = 0;

	put(header, newc_add_filler(&archive, name, size, header, &filler));
	len += filler;
	put(header, newc_add(&archive, name, size, header));
	memset(bytes + len, fill, size);
	len += size + newc_padding(size);
	assert_int_equal(archive.at, len);
}

static struct image *end_and_open(void)
{
	char header[NEWC_HEADER_MAX];
	struct image *list = NULL;

	put(header, newc_end(&archive, header));
	assert_int_equal(archive.at, len);
	assert_int_equal(ramdisk_open(BASE, len, &arena, &diag, &list), OK);
	assert_int_equal(diag.n_errors, 0);
	return list;
}

static void assert_filled(const struct image *image, size_t size, char fill)
{
	const char *data = phys_to_virt(image->base);

	assert_int_equal(image->size, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], fill);
}

static void the_ramdisks_reader_finds_every_file(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1};
	char name[20];
	struct image *list;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(name, sizeof(name), "out/%.*s", (int)i + 1, "abcdefgh");
		add(name, sizes[i], (char)('a' + i));
	}
	list = end_and_open();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(name, sizeof(name), "/out/%.*s", (int)i + 1, "abcdefgh");
		assert_filled(image_find(list, name), sizes[i], (char)('a' + i));
	}
}

static void data_are_aligned_as_mkramdisk_aligns_them(void **state)
{
	struct image *list;

	add("small", 10, 's');
	add("page", PAGE_SIZE, 'p');
	add("large", MIB(2), 'l');
	add("larger", MIB(2) + 5, 'm');
	add("last", 3, 'e');
	list = end_and_open();
	assert_int_equal(image_find(list, "/page")->base % PAGE_SIZE, 0);
	assert_int_equal(image_find(list, "/large")->base % MIB(2), 0);
	assert_int_equal(image_find(list, "/larger")->base % MIB(2), 0);
	assert_filled(image_find(list, "/large"), MIB(2), 'l');
	assert_filled(image_find(list, "/larger"), MIB(2) + 5, 'm');
	assert_filled(image_find(list, "/last"), 3, 'e');
	assert_true(archive.n_fillers >= 3);
}

static void a_file_that_is_aligned_anyway_gets_no_filler(void **state)
{
	char header[NEWC_HEADER_MAX];
	uint64_t filler;

	archive.at = PAGE_SIZE - 116; /* 110, a name of 5, and its NUL */
	assert_int_equal(newc_add_filler(&archive, "12345", PAGE_SIZE, header, &filler), 0);
	assert_int_equal(newc_add_filler(&archive, "12345", 1, header, &filler), 0);
	assert_int_equal(archive.n_fillers, 0);
}

static void fillers_are_numbered(void **state)
{
	char header[NEWC_HEADER_MAX];
	uint64_t filler;

	archive.n_fillers = 120;
	assert_int_equal(newc_add_filler(&archive, "x", PAGE_SIZE, header, &filler), 124);
	assert_string_equal(header + 110, ".fill/000120");
	assert_memory_equal(header, "070701", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_ramdisks_reader_finds_every_file, setup),
		cmocka_unit_test_setup(data_are_aligned_as_mkramdisk_aligns_them, setup),
		cmocka_unit_test_setup(a_file_that_is_aligned_anyway_gets_no_filler, setup),
		cmocka_unit_test_setup(fillers_are_numbered, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
