/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/pe.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define IMAGE_SIZE 0x4000
#define PE	   0x80
#define OPTIONAL   0xf0
#define TABLE	   (PE + 24 + OPTIONAL)

static uint8_t image[IMAGE_SIZE];

static void put16(uint64_t at, uint16_t v)
{
	memcpy(&image[at], &v, sizeof(v));
}

static void put32(uint64_t at, uint32_t v)
{
	memcpy(&image[at], &v, sizeof(v));
}

static void put_section(unsigned i, const char *name, uint32_t virtual_size, uint32_t start,
			uint32_t raw_size)
{
	uint64_t at = TABLE + 40 * i;

	memcpy(&image[at], name, strnlen(name, 8));
	put32(at + 8, virtual_size);
	put32(at + 12, start);
	put32(at + 16, raw_size);
}

static int make_image(void **state)
{
	memset(image, 0, sizeof(image));
	put32(0x3c, PE);
	put32(PE, 0x4550);
	put16(PE + 6, 4);
	put16(PE + 20, OPTIONAL);
	put_section(0, ".text", 0x500, 0x1000, 0x600);
	put_section(1, ".config", 0x123, 0x2000, 0x200);
	put_section(2, ".ramdisk", 0, 0x3000, 0x400);
	put_section(3, ".bss", 0x800, 0x2800, 0);
	return 0;
}

/* From a copy on the heap, so that a read beyond the end is seen. */
static bool find(uint64_t size, const char *name, uint64_t *ret_offset, uint64_t *ret_len)
{
	uint8_t *copy = malloc(size ? size : 1);
	bool found;

	memcpy(copy, image, size);
	found = pe_find_section(copy, size, name, ret_offset, ret_len);
	free(copy);
	return found;
}

static void sections_are_found_by_name(void **state)
{
	uint64_t offset, len;

	assert_true(find(IMAGE_SIZE, ".config", &offset, &len));
	assert_int_equal(offset, 0x2000);
	assert_int_equal(len, 0x123);
	/* eight characters, without a NUL; no virtual size, as objcopy leaves it */
	assert_true(find(IMAGE_SIZE, ".ramdisk", &offset, &len));
	assert_int_equal(offset, 0x3000);
	assert_int_equal(len, 0x400);
	/* nothing of it is in the file */
	assert_true(find(IMAGE_SIZE, ".bss", &offset, &len));
	assert_int_equal(len, 0);
}

static void other_names_are_not_found(void **state)
{
	const char *names[] = {".conf", ".configs", ".ramdisk2", ".ramdis", "", "config"};
	uint64_t offset, len;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(find(IMAGE_SIZE, names[i], &offset, &len));
}

static void a_shorter_image_is_refused_or_right(void **state)
{
	for (uint64_t size = 0; size <= IMAGE_SIZE; size++) {
		uint64_t offset, len;
		bool found = find(size, ".config", &offset, &len);

		assert_int_equal(found, size >= 0x2123);
	}
}

static void a_section_outside_is_refused(void **state)
{
	static const uint32_t bad[][2] = {
		/* start, length */
		{IMAGE_SIZE, 1},     {IMAGE_SIZE - 1, 2},  {0xffffffff, 0xffffffff},
		{0, IMAGE_SIZE + 1}, {0xfffff000, 0x1000},
	};
	uint64_t offset, len;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put_section(1, ".config", bad[i][1], bad[i][0], bad[i][1]);
		assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	}
	put_section(1, ".config", 0x4000, 0, 0x4000);
	assert_true(find(IMAGE_SIZE, ".config", &offset, &len));
}

static void broken_headers_are_refused(void **state)
{
	uint64_t offset, len;

	put32(PE, 0x4551);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	make_image(state);
	put32(0x3c, 0xfffffff0);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	make_image(state);
	put32(0x3c, IMAGE_SIZE - 23);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	make_image(state);
	put16(PE + 6, 0xffff);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	make_image(state);
	put16(PE + 20, 0xffff);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
	make_image(state);
	put16(PE + 6, 0);
	assert_false(find(IMAGE_SIZE, ".config", &offset, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sections_are_found_by_name, make_image),
		cmocka_unit_test_setup(other_names_are_not_found, make_image),
		cmocka_unit_test_setup(a_shorter_image_is_refused_or_right, make_image),
		cmocka_unit_test_setup(a_section_outside_is_refused, make_image),
		cmocka_unit_test_setup(broken_headers_are_refused, make_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
