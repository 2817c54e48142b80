/* SPDX-License-Identifier: BSD-2-Clause */
/* The ramdisk: archives of several kinds, and the refusal of bad ones. */
#include "hv/backends/cpio.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#include "tests/unit/cpio_build.h"
#include "tests/unit/image_find.h"

#define BASE  MIB(16)
#define BYTES MIB(4)

static char memory[1 << 17] __attribute__((aligned(16)));
static struct arena arena;
static struct diag diag;
static struct cpio_build build;

static int setup(void **state)
{
	arena = (struct arena){.base = memory, .size = sizeof(memory)};
	diag = (struct diag){.file = "t"};
	build = (struct cpio_build){.buf = phys_arena(BASE, BYTES), .size = BYTES};
	log_reset();
	return 0;
}

static struct image *open_built(void)
{
	struct image *list = NULL;

	assert_int_equal(ramdisk_open(BASE, build.len, &arena, &diag, &list), OK);
	assert_int_equal(diag.n_errors, 0);
	return list;
}

static void refuse_built(const char *message)
{
	char want[300];
	struct image *list;

	log_reset();
	assert_int_equal(ramdisk_open(BASE, build.len, &arena, &diag, &list), ERR_CORRUPT);
	snprintf(want, sizeof(want), "error: ramdisk: %s\n", message);
	assert_string_equal(logged, want);
}

static bool holds(const struct image *image, const char *text)
{
	return image != NULL && image->size == strlen(text) &&
	       memcmp(phys_to_virt(image->base), text, image->size) == 0;
}

static void files_are_found_with_their_data_and_mode(void **state)
{
	struct image *list, *image;
	size_t at;

	cpio_put(&build, (struct cpio_entry){.name = ".", .mode = CPIO_DIR | 0755, .nlink = 2});
	cpio_put(&build, (struct cpio_entry){.name = "d", .mode = CPIO_DIR | 0700, .nlink = 2});
	at = cpio_file(&build, "d/f", "hello", 5);
	cpio_put(&build, (struct cpio_entry){.name = "x", .mode = CPIO_FILE | 04400, .nlink = 1});
	cpio_put(&build, (struct cpio_entry){.name = "p", .mode = CPIO_FIFO | 0644, .nlink = 1});
	cpio_end(&build);
	list = open_built();
	assert_string_equal(list->path, "/");
	assert_int_equal(list->type, IMAGE_DIRECTORY);
	assert_int_equal(list->next->type, IMAGE_DIRECTORY);
	assert_int_equal(list->next->mode, 0700);
	image = image_find(list, "/d/f");
	assert_true(holds(image, "hello"));
	assert_int_equal(image->base, BASE + at);
	assert_int_equal(image->mode, 0644);
	assert_false(image->aligned);
	image = image_find(list, "x");
	assert_int_equal(image->size, 0);
	assert_int_equal(image->mode, 04400);
	assert_null(image_find(list, "p"));
	assert_null(image_find(list, "d"));
	assert_null(image_find(list, "nothing"));
}

static void names_are_normalised(void **state)
{
	static const char *const names[] = {"a", "./a", "/a", "//a", ".//./a", "a/", "a/."};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		setup(NULL);
		cpio_file(&build, names[i], "x", 1);
		cpio_end(&build);
		assert_string_equal(open_built()->path, "/a");
	}
	setup(NULL);
	cpio_file(&build, "./a//..b/c..", "x", 1);
	cpio_end(&build);
	assert_string_equal(open_built()->path, "/a/..b/c..");
}

static void dot_dot_is_refused(void **state)
{
	static const char *const names[] = {"..", "../a", "a/..", "a/../b", "/../a"};
	char want[100];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		setup(NULL);
		cpio_file(&build, "ok", "xxxx", 4);
		cpio_file(&build, names[i], "x", 1);
		cpio_end(&build);
		snprintf(want, sizeof(want), "offset 0x78 ('%s'): '..' in a name is not supported",
			 names[i]);
		refuse_built(want);
	}
}

static void page_aligned_data_stay_in_place(void **state)
{
	struct cpio_entry file = {.name = "f", .mode = CPIO_FILE | 0644, .data = "x", .len = 1};
	struct image *image;

	/* Padding a name can move its data to any place. */
	file.name_padding = PAGE_SIZE - 110 - 2;
	assert_int_equal(cpio_put(&build, file), PAGE_SIZE);
	cpio_end(&build);
	image = image_find(open_built(), "f");
	assert_true(image->aligned);
	assert_false(image->moved);
	assert_int_equal(image->base, BASE + PAGE_SIZE);
}

static void archives_follow_each_other_at_any_byte(void **state)
{
	for (size_t gap = 0; gap < 9; gap++) {
		struct image *list;

		setup(NULL);
		cpio_file(&build, "a", "first", 5);
		cpio_file(&build, "b", "old", 3);
		cpio_end(&build);
		for (size_t i = 0; i < gap; i++)
			cpio_bytes(&build, "", 1);
		build.archive_at = build.len;
		cpio_file(&build, "b", "newer", 5);
		cpio_end(&build);
		cpio_bytes(&build, "\0\0\0", 3);
		list = open_built();
		assert_true(holds(image_find(list, "a"), "first"));
		assert_true(holds(image_find(list, "b"), "newer"));
	}
}

static void a_trailer_needs_no_padding(void **state)
{
	struct image *list;

	cpio_file(&build, "a", "1", 1);
	cpio_put(&build, (struct cpio_entry){.name = "TRAILER!!!"});
	build.len = align_down(build.len - 1, 4) + 1; /* as if the name ended with its NUL */
	assert_int_equal(build.buf[build.len - 1], 0);
	build.archive_at = build.len;
	cpio_file(&build, "b", "2", 1);
	cpio_end(&build);
	build.len -= 3;
	list = open_built();
	assert_true(holds(image_find(list, "a"), "1"));
	assert_true(holds(image_find(list, "b"), "2"));
}

static void hard_links_share_the_data_of_the_last(void **state)
{
	struct cpio_entry link = {.mode = CPIO_FILE | 0644, .ino = 7, .nlink = 3};
	struct image *list;

	link.name = "a";
	cpio_put(&build, link);
	link.name = "other";
	link.devminor = 1; /* another disk */
	cpio_put(&build, link);
	link.devminor = 0;
	link.name = "b";
	cpio_put(&build, link);
	link.name = "c";
	link.data = "data";
	link.len = 4;
	cpio_put(&build, link);
	cpio_end(&build);
	/* The same inode of the next archive is another file. */
	link.name = "d";
	link.data = "more";
	cpio_put(&build, link);
	cpio_end(&build);
	list = open_built();
	assert_true(holds(image_find(list, "a"), "data"));
	assert_ptr_equal(image_find(list, "a"), image_find(list, "b"));
	assert_ptr_equal(image_find(list, "a"), image_find(list, "c"));
	assert_true(holds(image_find(list, "d"), "more"));
	assert_int_equal(image_find(list, "other")->size, 0);
}

static void checksums_are_verified(void **state)
{
	struct cpio_entry file = {.name = "f",
				  .mode = CPIO_FILE | 0644,
				  .data = "\xff\x01z",
				  .len = 3,
				  .magic = "070702",
				  .check = 0xff + 1 + 'z'};
	struct cpio_entry link = {
		.name = "l", .mode = CPIO_LINK | 0777, .data = "f", .len = 1, .magic = "070702"};

	cpio_put(&build, link);
	cpio_put(&build, file);
	cpio_end(&build);
	assert_non_null(image_find(open_built(), "l"));
	setup(NULL);
	file.check++;
	cpio_put(&build, file);
	cpio_end(&build);
	refuse_built("offset 0x0 ('f'): wrong checksum");
	setup(NULL);
	file.magic = "070701";
	cpio_put(&build, file);
	cpio_end(&build);
	open_built();
}

/* The upper half of the size is in the field of the checksum. */
static void a_file_may_have_4_gib_and_more(void **state)
{
	struct cpio_entry large = {.name = "large",
				   .mode = CPIO_FILE | 0644,
				   .data = "hello",
				   .len = 5,
				   .magic = "07070L",
				   .check = 1};
	const size_t map_bytes = GIB(4) + MIB(2);
	struct image *list;
	size_t at;

	build.buf = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(build.buf != MAP_FAILED);
	phys_offset = (uintptr_t)build.buf - BASE;
	at = cpio_put(&build, large);
	build.len = at + GIB(4) + 8;
	build.size = map_bytes;
	cpio_file(&build, "next", "xxxx", 4);
	cpio_end(&build);
	list = open_built();
	assert_int_equal(image_find(list, "/large")->size, GIB(4) + 5);
	assert_int_equal(image_find(list, "/large")->base, BASE + at);
	assert_true(holds(image_find(list, "/next"), "xxxx"));
	assert_int_equal(munmap(build.buf, map_bytes), 0);

	setup(NULL);
	cpio_put(&build, large);
	cpio_end(&build);
	refuse_built("offset 0x0 ('large'): data run past the end");
	setup(NULL);
	large.check = 0;
	cpio_put(&build, large);
	cpio_end(&build);
	assert_true(holds(image_find(open_built(), "/large"), "hello"));
}

static void nothing_is_an_empty_ramdisk_but_zeros_are_not(void **state)
{
	assert_null(open_built());
	build.len = 5000;
	refuse_built("offset 0x1388: nothing but zeros");
	setup(NULL);
	cpio_end(&build);
	assert_null(open_built());
}

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		const char *bytes, *message;
	} rows[] = {
		{0, "070703", "offset 0x78: not a cpio header (magic 070701 or 070702 expected)"},
		{0, "070707", "offset 0x78: cpio format odc is not supported (use -H newc)"},
		{0, "\xc7\x71", "offset 0x78: binary cpio format is not supported (use -H newc)"},
		{0, "\x1f\x8b", "offset 0x78: compressed archives (gzip) are not supported"},
		{0, "\x28\xb5\x2f\xfd",
		 "offset 0x78: compressed archives (zstd) are not supported"},
		{0,
		 "\xfd"
		 "7zXZ",
		 "offset 0x78: compressed archives (xz) are not supported"},
		{6, "0000000g", "offset 0x78: header has a field that is not hexadecimal"},
		{54, "       5", "offset 0x78: header has a field that is not hexadecimal"},
		{102, "-0000001", "offset 0x78: header has a field that is not hexadecimal"},
		{54, "FFFFFFFF", "offset 0x78 ('f\x1b'): data run past the end"},
		{54, "000003f8", "offset 0x78 ('f\x1b'): data run past the end"},
		{94, "00000000", "offset 0x78: length of the name is not in 1 to 4096"},
		{94, "00001001", "offset 0x78: length of the name is not in 1 to 4096"},
		{94, "ffffffff", "offset 0x78: length of the name is not in 1 to 4096"},
		{94, "00001000", "offset 0x78: name runs past the end"},
		{94, "00000002", "offset 0x78: name does not end in NUL"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char want[200], *escape;

		setup(NULL);
		cpio_file(&build, "ok", "xxxx", 4);
		cpio_file(&build, "f\x1b", "hello", 5);
		cpio_end(&build);
		memcpy(build.buf + 0x78 + rows[i].at, rows[i].bytes, strlen(rows[i].bytes));
		snprintf(want, sizeof(want), "%s", rows[i].message);
		escape = strchr(want, '\x1b');
		if (escape != NULL)
			*escape = '?';
		refuse_built(want);
	}
}

/* The archive of the two tests below. */
static void build_sample(void)
{
	struct cpio_entry link = {.name = "h", .mode = CPIO_FILE | 0644, .ino = 7, .nlink = 2};

	cpio_put(&build, (struct cpio_entry){.name = "d", .mode = CPIO_DIR | 0755, .nlink = 2});
	cpio_put(&build, (struct cpio_entry){.name = "l",
					     .mode = CPIO_LINK | 0777,
					     .data = "d/f",
					     .len = 3,
					     .nlink = 1});
	cpio_put(&build, link);
	link.name = "d/f";
	link.data = "hello";
	link.len = 5;
	cpio_put(&build, link);
	cpio_end(&build);
}

static void every_cut_is_noticed_and_nothing_read_behind_it(void **state)
{
	uintptr_t arena_offset = phys_offset;
	struct image *list;
	size_t whole;

	build_sample();
	whole = build.len - 3; /* the padding after the trailer */
	for (size_t len = 1; len < whole; len++) {
		char *copy = malloc(len); /* ASan checks its end */

		setup(NULL);
		build_sample();
		memcpy(copy, build.buf, len);
		phys_offset = (uintptr_t)copy - BASE;
		assert_int_equal(ramdisk_open(BASE, len, &arena, &diag, &list), ERR_CORRUPT);
		assert_int_equal(diag.n_errors, 1);
		assert_non_null(strstr(logged, "ramdisk: offset 0x"));
		phys_offset = arena_offset;
		free(copy);
	}
}

static void any_byte_may_be_wrong(void **state)
{
	static const char values[] = {0, 1, '0', 'f', 'F', '/', '.', '8', (char)0xff};

	build_sample();
	for (size_t i = 0; i < build.len * sizeof(values); i++) {
		char *copy = malloc(build.len);
		uintptr_t arena_offset = phys_offset;
		struct image *list = NULL, *found;
		enum status status;
		struct arena fresh = {.base = memory, .size = sizeof(memory)};

		memcpy(copy, build.buf, build.len);
		copy[i / sizeof(values)] = values[i % sizeof(values)];
		phys_offset = (uintptr_t)copy - BASE;
		status = ramdisk_open(BASE, build.len, &fresh, &diag, &list);
		assert_true(status == OK || (status == ERR_CORRUPT && list == NULL));
		for (; list != NULL; list = list->next)
			(void)image_lookup(list, list->path, &found);
		phys_offset = arena_offset;
		free(copy);
	}
}

static char *chunks[16];
static size_t n_chunks;

static void *another_chunk(size_t size, size_t *ret_size)
{
	assert_true(size <= MIB(1) && n_chunks < ARRAY_SIZE(chunks));
	*ret_size = MIB(1);
	return chunks[n_chunks++] = malloc(MIB(1));
}

/* As many as a distribution's root has. */
static void twenty_thousand_files_are_found(void **state)
{
	const struct image *image;
	char name[20];

	arena = (struct arena){.more = another_chunk};
	for (unsigned i = 0; i < 20000; i++) {
		sprintf(name, "f/%u", i);
		cpio_put(&build, (struct cpio_entry){.name = name, .mode = CPIO_FILE | 0644});
	}
	cpio_end(&build);
	image = open_built();
	for (unsigned i = 0; i < 20000; i++, image = image->next) {
		sprintf(name, "/f/%u", i);
		assert_string_equal(image->path, name);
	}
	assert_null(image);
	assert_true(n_chunks > 1);
	while (n_chunks > 0)
		free(chunks[--n_chunks]);
}

static void each_allocation_may_fail(void **state)
{
	struct image *list = NULL;
	enum status status;
	size_t size = 0;

	build_sample();
	do {
		arena = (struct arena){.base = memory, .size = size++};
		diag.n_errors = 0;
		log_reset();
		status = ramdisk_open(BASE, build.len, &arena, &diag, &list);
		if (status == OK)
			break;
		assert_int_equal(status, ERR_NOMEM);
		assert_null(list);
		assert_non_null(strstr(logged, ": no memory is left for more files\n"));
	} while (true);
	assert_true(size > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(files_are_found_with_their_data_and_mode, setup),
		cmocka_unit_test_setup(names_are_normalised, setup),
		cmocka_unit_test_setup(twenty_thousand_files_are_found, setup),
		cmocka_unit_test_setup(dot_dot_is_refused, setup),
		cmocka_unit_test_setup(page_aligned_data_stay_in_place, setup),
		cmocka_unit_test_setup(archives_follow_each_other_at_any_byte, setup),
		cmocka_unit_test_setup(a_trailer_needs_no_padding, setup),
		cmocka_unit_test_setup(hard_links_share_the_data_of_the_last, setup),
		cmocka_unit_test_setup(checksums_are_verified, setup),
		cmocka_unit_test_setup(a_file_may_have_4_gib_and_more, setup),
		cmocka_unit_test_setup(nothing_is_an_empty_ramdisk_but_zeros_are_not, setup),
		cmocka_unit_test_setup(hostile_headers_are_refused, setup),
		cmocka_unit_test_setup(every_cut_is_noticed_and_nothing_read_behind_it, setup),
		cmocka_unit_test_setup(any_byte_may_be_wrong, setup),
		cmocka_unit_test_setup(each_allocation_may_fail, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
