/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/backends/suggest.h"

#include <string.h>

#include "tests/unit/support.h"

static const char names[] = "size share mem-path readonly prealloc prealloc-threads m M";

/* The name that is suggested for 'word'; "": none. */
static const char *near(const char *word)
{
	struct suggestion suggestion = suggest(word, strlen(word));
	static char name[40];

	suggest_list(&suggestion, names);
	memcpy(name, suggestion.name != NULL ? suggestion.name : "", suggestion.len);
	name[suggestion.len] = '\0';
	return name;
}

static void slips_of_a_typist_are_near(void **state)
{
	assert_string_equal(near("sise"), "size");
	assert_string_equal(near("siez"), "size");
	assert_string_equal(near("siz"), "size");
	assert_string_equal(near("read-only"), "readonly");
	assert_string_equal(near("ReadOnly"), "readonly");
	assert_string_equal(near("mempath"), "mem-path");
	assert_string_equal(near("preallocthread"), "prealloc-threads");
}

static void other_words_are_not(void **state)
{
	assert_string_equal(near("side-by"), "");
	assert_string_equal(near("x"), "");
	assert_string_equal(near(""), "");
	assert_string_equal(near("zips"), "");
	assert_string_equal(near("sizesizesizesizesizesizesizesizesizesizesize"), "");
}

static void the_nearest_name_wins(void **state)
{
	struct suggestion suggestion = suggest("countx=1", 6);

	suggest_name(&suggestion, "counter");
	suggest_name(&suggestion, "count");
	suggest_name(&suggestion, "mounts");
	assert_true(suggest_is(&suggestion, "count"));
	assert_false(suggest_is(&suggestion, "counter"));
}

static void values_are_listed(void **state)
{
	static const char *const values[] = {"on", "off", "auto", NULL};
	struct diag diag = {0};

	log_reset();
	suggest_value(values, "atuo", &diag);
	suggest_value(values, "7", &diag);
	assert_string_equal(logged, "error:       = did you mean 'auto'?\n"
				    "error:       = possible values: 'on', 'off', 'auto'\n"
				    "error:       = possible values: 'on', 'off', 'auto'\n");
}

/* With no near name all are told. */
static void names_are_listed(void **state)
{
	struct diag diag = {0};

	log_reset();
	suggest_from("size share", "siez", &diag);
	suggest_from("size share", "foo", &diag);
	assert_string_equal(logged, "error:       = did you mean 'size'?\n"
				    "error:       = possible names: size share\n");
}

static void files_are_found_in_other_folders(void **state)
{
	struct image other = {.path = "/vm/other", .type = IMAGE_FILE};
	struct image folder = {.path = "/vmlinuz", .type = IMAGE_DIRECTORY, .next = &other};
	struct image kernel = {.path = "/boot/vmlinux", .type = IMAGE_FILE, .next = &folder};
	struct diag diag = {0};

	log_reset();
	suggest_file(&kernel, "./ramdisk/vmlinux", &diag);
	suggest_file(&kernel, "/vmlinuz", &diag);
	suggest_file(&kernel, "/initrd", &diag);
	suggest_file(NULL, "/vmlinux", &diag);
	assert_string_equal(
		logged,
		"error:       = did you mean '/boot/vmlinux'? Paths are names in the ramdisk\n"
		"error:       = did you mean '/boot/vmlinux'? Paths are names in the ramdisk\n"
		"error:       = paths are names in the ramdisk\n"
		"error:       = paths are names in the ramdisk\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_of_a_typist_are_near),
		cmocka_unit_test(other_words_are_not),
		cmocka_unit_test(the_nearest_name_wins),
		cmocka_unit_test(values_are_listed),
		cmocka_unit_test(names_are_listed),
		cmocka_unit_test(files_are_found_in_other_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
