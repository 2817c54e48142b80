/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/hashes.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define ABCD "abcdef00000000000000000000000000000000000000000000000000000000ff"

static const char list[] =
	"# a comment  stencil.conf\n" ONES "  stencil.conf\n" ABCD "  ramdisk.cpio\n\0\0\0";

/* From a copy on the heap, so that a read beyond the end is seen. */
static bool find(const char *text, uint64_t len, const char *name, uint8_t ret[SHA256_SIZE])
{
	char *copy = malloc(len ? len : 1);
	struct hashes hashes = {.text = copy, .len = len};
	bool found;

	memcpy(copy, text, len);
	found = hashes_find(&hashes, name, ret);
	free(copy);
	return found;
}

static void files_are_found_by_name(void **state)
{
	uint8_t hash[SHA256_SIZE], ones[SHA256_SIZE];

	memset(ones, 0x11, sizeof(ones));
	assert_true(find(list, sizeof(list), "stencil.conf", hash));
	assert_memory_equal(hash, ones, sizeof(ones));
	assert_true(find(list, sizeof(list), "ramdisk.cpio", hash));
	assert_int_equal(hash[0], 0xab);
	assert_int_equal(hash[1], 0xcd);
	assert_int_equal(hash[2], 0xef);
	assert_int_equal(hash[31], 0xff);
}

static void other_names_are_not_found(void **state)
{
	static const char *const names[] = {
		"", "stencil.con", "stencil.conf2", "ramdisk-2.cpio", "conf", "# a comment"};
	uint8_t hash[SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(find(list, sizeof(list), names[i], hash));
	assert_false(find("", 0, "", hash));
	assert_false(find("", 0, "stencil.conf", hash));
}

static void a_line_in_another_form_names_no_file(void **state)
{
	static const char *const lines[] = {
		ONES " *a\n", /* sha256sum --binary */
		ONES " a\n",
		ONES "\n",
		ONES "  \n",
		"1" ONES "  a\n",
		"x" ONES "a\n",
		"  a\n",
		"a\n",
		"SHA256 (a) = " ONES "\n",
		"gggg111111111111111111111111111111111111111111111111111111111111  a\n",
		"ABCD111111111111111111111111111111111111111111111111111111111111  a\n",
		"#\n\0" ONES "\0  a\n",
	};
	uint8_t hash[SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_false(find(lines[i], strlen(lines[i]), "a", hash));
}

static void the_first_line_of_a_name_counts(void **state)
{
	static const char twice[] = ONES "  a\n" ABCD "  a\n";
	uint8_t hash[SHA256_SIZE];

	assert_true(find(twice, sizeof(twice), "a", hash));
	assert_int_equal(hash[0], 0x11);
}

static void a_shorter_list_is_refused_or_right(void **state)
{
	static const char text[] = ONES "  a";

	for (uint64_t len = 0; len < sizeof(text); len++) {
		uint8_t hash[SHA256_SIZE];

		assert_int_equal(find(text, len, "a", hash), len >= 67);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_by_name),
		cmocka_unit_test(other_names_are_not_found),
		cmocka_unit_test(a_line_in_another_form_names_no_file),
		cmocka_unit_test(the_first_line_of_a_name_counts),
		cmocka_unit_test(a_shorter_list_is_refused_or_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
