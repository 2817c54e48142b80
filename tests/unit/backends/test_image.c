/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths through the ramdisk, and images moved to page boundaries. */
#include "hv/backends/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "tests/unit/image_find.h"
#include "tests/unit/support.h"

#define BASE   MIB(16)
#define FRAMES (BASE + MIB(2)) /* what frame_alloc_run() returns */
#define BYTES  MIB(8)

static uint64_t asked_frames, asked_align, freed_frames;
static phys_t freed;
static enum frame_mode asked_mode;
static bool no_frames;

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	asked_frames = n_frames;
	asked_align = align;
	return no_frames ? 0 : FRAMES;
}

phys_t frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames, uint64_t align)
{
	asked_mode = policy->mode;
	return frame_alloc_run(n_frames, align);
}

void frame_free_run(phys_t start, uint64_t n_frames)
{
	freed = start;
	freed_frames = n_frames;
}

uint64_t frame_total(void)
{
	return BYTES / PAGE_SIZE;
}

#define MAX 64
static struct image entries[MAX];
static size_t n_entries;

static struct image *add(const char *path, enum image_type type, uint32_t mode)
{
	struct image *image = &entries[n_entries++];

	*image = (struct image){.path = path, .type = type, .mode = mode};
	if (n_entries > 1)
		image[-1].next = image;
	return image;
}

static struct image *add_link(const char *path, const char *target)
{
	struct image *image = add(path, IMAGE_SYMLINK, 0777);

	image->base = virt_to_phys(target);
	image->size = strlen(target);
	return image;
}

static int setup(void **state)
{
	static char chain[42][16], names[42][16];

	n_entries = 0;
	phys_offset = 0;
	no_frames = false;
	add("/", IMAGE_DIRECTORY, 0755);
	add("/f", IMAGE_FILE, 0644);
	add("/d", IMAGE_DIRECTORY, 0755);
	add("/d/g", IMAGE_FILE, 0644);
	add("/implied/deep/h", IMAGE_FILE, 0644);
	add("/locked", IMAGE_DIRECTORY, 0600);
	add("/locked/i", IMAGE_FILE, 0644);
	add("/fifo", IMAGE_SPECIAL, 0644);
	add("/hard", IMAGE_FILE, 0644)->target = &entries[1];
	add_link("/to_f", "f");
	add_link("/abs", "/d/g");
	add_link("/d/up", "../f");
	add_link("/to_d", "d/.");
	add_link("/slash", "d/");
	add_link("/file_slash", "f/");
	add_link("/dangling", "nowhere");
	add_link("/self", "self");
	add_link("/empty", "");
	for (int i = 0; i < 42; i++) { /* c00 -> c01 -> ... -> c41 -> f */
		snprintf(names[i], sizeof(names[i]), "/c%02d", i);
		snprintf(chain[i], sizeof(chain[i]), "c%02d", i + 1);
		add_link(names[i], i < 41 ? chain[i] : "f");
	}
	return 0;
}

static void paths_lead_where_linux_would_go(void **state)
{
	static const struct {
		const char *path;
		enum image_error error;
		int entry; /* -1: a directory without one */
	} rows[] = {
		{"/f", IMAGE_OK, 1},
		{"f", IMAGE_OK, 1},
		{"//f", IMAGE_OK, 1},
		{"./f", IMAGE_OK, 1},
		{"/d/../f", IMAGE_OK, 1},
		{"/../f", IMAGE_OK, 1},
		{"/d/g", IMAGE_OK, 3},
		{"d//g", IMAGE_OK, 3},
		{"d/./g", IMAGE_OK, 3},
		{"/", IMAGE_OK, -1},
		{".", IMAGE_OK, -1},
		{"..", IMAGE_OK, -1},
		{"/d", IMAGE_OK, 2},
		{"/d/", IMAGE_OK, 2},
		{"/d/.", IMAGE_OK, 2},
		{"/d/..", IMAGE_OK, -1},
		{"", IMAGE_NOT_FOUND, 0},
		{"/x", IMAGE_NOT_FOUND, 0},
		{"/d/x", IMAGE_NOT_FOUND, 0},
		{"/x/f", IMAGE_NOT_FOUND, 0},
		{"/F", IMAGE_NOT_FOUND, 0},
		{"/f/", IMAGE_NOT_DIRECTORY, 0},
		{"/f/x", IMAGE_NOT_DIRECTORY, 0},
		{"/f/.", IMAGE_NOT_DIRECTORY, 0},
		{"/f/..", IMAGE_NOT_DIRECTORY, 0},
		{"/fifo/x", IMAGE_NOT_DIRECTORY, 0},
		{"/fifo", IMAGE_OK, 7},
		{"/implied", IMAGE_OK, -1},
		{"/implied/deep/", IMAGE_OK, -1},
		{"/implied/deep/h", IMAGE_OK, 4},
		{"/impl", IMAGE_NOT_FOUND, 0},
		{"/implied/../f", IMAGE_OK, 1},
		{"/locked", IMAGE_OK, 5},
		{"/locked/i", IMAGE_NO_PERMISSION, 0},
		{"/locked/", IMAGE_NO_PERMISSION, 0},
		{"/hard", IMAGE_OK, 1},
		{"/to_f", IMAGE_OK, 1},
		{"/abs", IMAGE_OK, 3},
		{"/d/up", IMAGE_OK, 1},
		{"/to_d", IMAGE_OK, 2},
		{"/to_d/g", IMAGE_OK, 3},
		{"/to_d/up", IMAGE_OK, 1},
		{"/slash/g", IMAGE_OK, 3},
		{"/slash", IMAGE_OK, 2},
		{"/to_f/", IMAGE_NOT_DIRECTORY, 0},
		{"/file_slash", IMAGE_NOT_DIRECTORY, 0},
		{"/dangling", IMAGE_NOT_FOUND, 0},
		{"/empty", IMAGE_NOT_FOUND, 0},
		{"/self", IMAGE_LOOP, 0},
		{"/self/x", IMAGE_LOOP, 0},
		{"/c02", IMAGE_OK, 1},
		{"/c01", IMAGE_LOOP, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image *image = (struct image *)&rows; /* must be overwritten */

		print_message("[ row      ] %s\n", rows[i].path);
		assert_int_equal(image_lookup(entries, rows[i].path, &image), rows[i].error);
		if (rows[i].error == IMAGE_OK)
			assert_ptr_equal(image, rows[i].entry < 0 ? NULL : &entries[rows[i].entry]);
	}
}

static void only_files_are_found(void **state)
{
	assert_ptr_equal(image_find(entries, "/d/up"), &entries[1]);
	assert_null(image_find(entries, "/d"));
	assert_null(image_find(entries, "/"));
	assert_null(image_find(entries, "/fifo"));
	assert_null(image_find(entries, "/dangling"));
	assert_null(image_find(NULL, "/f"));
}

static void the_last_of_a_name_counts(void **state)
{
	struct image *later = add("/f", IMAGE_FILE, 0600);

	assert_ptr_equal(image_find(entries, "/f"), later);
}

static void long_names_are_refused(void **state)
{
	static char path[5000], target[4096];
	struct image *image;

	memset(path, 'a', sizeof(path) - 1);
	for (size_t i = 100; i < sizeof(path); i += 100)
		path[i] = '/';
	assert_int_equal(image_lookup(entries, path, &image), IMAGE_NAME_TOO_LONG);
	path[4096] = '\0';
	assert_int_equal(image_lookup(entries, path, &image), IMAGE_NAME_TOO_LONG);
	path[4095] = '\0';
	assert_int_equal(image_lookup(entries, path, &image), IMAGE_NOT_FOUND);
	memset(path, 'a', 256);
	path[256] = '\0';
	assert_int_equal(image_lookup(entries, path, &image), IMAGE_NAME_TOO_LONG);
	path[255] = '\0';
	assert_int_equal(image_lookup(entries, path, &image), IMAGE_NOT_FOUND);
	memset(target, 'b', sizeof(target));
	for (size_t i = 100; i < sizeof(target); i += 100)
		target[i] = '/';
	image = add("/long", IMAGE_SYMLINK, 0777);
	image->base = virt_to_phys(target);
	image->size = sizeof(target);
	assert_int_equal(image_lookup(entries, "/long", &image), IMAGE_NAME_TOO_LONG);
	entries[n_entries - 1].size = 4093;
	assert_int_equal(image_lookup(entries, "/long/x", &image), IMAGE_NOT_FOUND);
	entries[n_entries - 1].size = 4094;
	assert_int_equal(image_lookup(entries, "/long/x", &image), IMAGE_NAME_TOO_LONG);
}

static void a_link_with_a_nul_leads_nowhere(void **state)
{
	struct image *image = add("/nul", IMAGE_SYMLINK, 0777);

	image->base = virt_to_phys("f\0x");
	image->size = 3;
	assert_int_equal(image_lookup(entries, "/nul", &image), IMAGE_NOT_FOUND);
}

static void a_file_is_made_where_its_directory_is(void **state)
{
	static const struct {
		const char *path, *made; /* NULL: 'error' */
		enum image_error error;
	} rows[] = {
		{"new", "/new", IMAGE_OK},
		{"/new", "/new", IMAGE_OK},
		{"//d/.//new", "/d/new", IMAGE_OK},
		{"/d/../new", "/new", IMAGE_OK},
		{"/implied/new", "/implied/new", IMAGE_OK},
		{"/x/new", NULL, IMAGE_NOT_FOUND},
		{"/f/new", NULL, IMAGE_NOT_DIRECTORY},
		{"/locked/new", NULL, IMAGE_NO_PERMISSION},
		{"", NULL, IMAGE_NOT_FOUND},
		{"/d/new/", NULL, IMAGE_IS_DIRECTORY},
		{"/d/new///", NULL, IMAGE_IS_DIRECTORY},
		{"/d/x/new/", NULL, IMAGE_NOT_FOUND},
		{"/dangles", NULL, IMAGE_NOT_FOUND},
		{"/closed/new", NULL, IMAGE_NO_PERMISSION},
	};
	static char memory[512] __attribute__((aligned(16)));

	add_link("/dangles", "nowhere");
	add("/closed", IMAGE_DIRECTORY, 0555);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena arena = {.base = memory, .size = sizeof(memory)};
		struct image_list list = {.first = entries, .arena = &arena};
		struct image *image = NULL, *found = NULL;

		print_message("[ path     ] %s\n", rows[i].path);
		assert_int_equal(image_create(&list, rows[i].path, &image), rows[i].error);
		if (rows[i].made == NULL) {
			assert_null(image);
			continue;
		}
		assert_string_equal(image->path, rows[i].made);
		assert_true(image->mode == 0644 && image->size == 0 && image->next == NULL);
		assert_int_equal(image_lookup(list.first, rows[i].path, &found), IMAGE_OK);
		assert_ptr_equal(found, image);
		image_remove(&list, image);
		assert_int_equal(image_lookup(list.first, rows[i].path, &found), IMAGE_NOT_FOUND);
	}
}

/* As in Linux: 255 bytes of a name, 4095 of a path. */
static void long_names_are_not_created(void **state)
{
	static char memory[65536] __attribute__((aligned(16)));
	static char path[8192];
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list list = {.arena = &arena};
	struct image *image;

	memset(path, 'x', 256);
	assert_int_equal(image_create(&list, path, &image), IMAGE_NAME_TOO_LONG);
	path[255] = '\0';
	assert_int_equal(image_create(&list, path, &image), IMAGE_OK);
	image->type = IMAGE_DIRECTORY;
	image->mode = 0755;
	for (unsigned depth = 1; depth < 16; depth++) {
		memset(path + depth * 256 - 1, 'x', 256);
		path[depth * 256 - 1] = '/';
		path[depth * 256 + 255] = '\0';
		if (depth == 15)
			break; /* 4095 bytes, and the first slash */
		assert_int_equal(image_create(&list, path, &image), IMAGE_OK);
		image->type = IMAGE_DIRECTORY;
		image->mode = 0755;
	}
	assert_int_equal(image_create(&list, path, &image), IMAGE_NAME_TOO_LONG);
	assert_int_equal(image_lookup(list.first, path, &image), IMAGE_NAME_TOO_LONG);
	path[4094] = '\0';
	assert_int_equal(image_create(&list, path, &image), IMAGE_OK);
	assert_int_equal(image_lookup(list.first, path, &image), IMAGE_OK);
}

static void a_file_needs_room_for_its_entry(void **state)
{
	static char memory[512] __attribute__((aligned(16)));
	enum image_error error = IMAGE_NO_MEMORY;
	unsigned n = 0;

	for (size_t size = 0; error == IMAGE_NO_MEMORY; size += 16, n++) {
		struct arena arena = {.base = memory, .size = size};
		struct image_list list = {.arena = &arena};
		struct image *image = NULL;

		error = image_create(&list, "new", &image);
		assert_ptr_equal(list.first, image);
	}
	assert_int_equal(error, IMAGE_OK);
	assert_true(n > 2);
}

static void a_file_grows_and_goes_with_its_frames(void **state)
{
	static char memory[512] __attribute__((aligned(16)));
	char *frames = (char *)phys_arena(BASE, BYTES) + (FRAMES - BASE);
	const struct frame_policy policy = {.mode = FRAME_BIND};
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct image_list list = {.arena = &arena};
	struct image *image;

	assert_int_equal(image_create(&list, "new", &image), IMAGE_OK);
	memset(frames, 0xee, 4 * PAGE_SIZE);
	assert_int_equal(image_grow(&list, image, 3 * PAGE_SIZE - 1, &policy), OK);
	assert_int_equal(asked_frames, 3);
	assert_int_equal(asked_mode, FRAME_BIND);
	assert_true(image->base == FRAMES && image->size == 3 * PAGE_SIZE - 1);
	assert_true(image->aligned && image->moved && image->grown);
	for (size_t i = 0; i < 3 * PAGE_SIZE; i++)
		assert_int_equal(frames[i], 0);
	assert_int_equal((uint8_t)frames[3 * PAGE_SIZE], 0xee);
	image_remove(&list, image);
	assert_true(freed == FRAMES && freed_frames == 3);
	assert_null(list.first);
	assert_int_equal(image_create(&list, "new", &image), IMAGE_OK);
	memset(frames, 0xee, 4 * PAGE_SIZE);
	assert_int_equal(image_grow_raw(image, PAGE_SIZE + 1, &policy), OK);
	assert_int_equal((uint8_t)frames[PAGE_SIZE], 0xee);
	assert_int_equal(frames[PAGE_SIZE + 1], 0);
	assert_int_equal(frames[2 * PAGE_SIZE - 1], 0);
	image_remove(&list, image);
	assert_int_equal(image_create(&list, "new", &image), IMAGE_OK);
	asked_frames = 0;
	assert_int_equal(image_grow(&list, image, BYTES + 1, &policy), ERR_NOMEM);
	assert_int_equal(image_grow(&list, image, UINT64_MAX, &policy), ERR_NOMEM);
	assert_int_equal(asked_frames, 0); /* more than the machine ever had */
	no_frames = true;
	assert_int_equal(image_grow(&list, image, PAGE_SIZE, &policy), ERR_NOMEM);
	assert_true(image->size == 0 && !image->grown);
	assert_null(image_create_anonymous(&list, PAGE_SIZE, &policy));
}

/* The window's first byte, not that of the image. */
static void a_window_is_aligned_if_that_can_be(void **state)
{
	char *memory = phys_arena(BASE, BYTES);
	const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	struct image image = {.path = "/i", .base = BASE + PAGE_SIZE, .size = 5 * PAGE_SIZE};
	uint64_t sum;

	memset(memory + PAGE_SIZE, 0x5a, 5 * PAGE_SIZE);
	memory[PAGE_SIZE + 77] = 1;
	sum = image_checksum(&image);
	image.aligned = true;
	asked_frames = freed_frames = 0;
	image_place(&image, 0, PAGE_SIZE, &anywhere);
	image_place(&image, 3 * PAGE_SIZE, 4 * PAGE_SIZE, &anywhere);
	assert_int_equal(asked_frames, 0); /* they are */
	no_frames = true;
	image_place(&image, PAGE_SIZE, 4 * PAGE_SIZE, &anywhere);
	assert_int_equal(image.base, BASE + PAGE_SIZE);
	no_frames = false;
	image_place(&image, PAGE_SIZE, 4 * PAGE_SIZE, &anywhere);
	assert_int_equal(asked_frames, 3 + 5);
	assert_int_equal(asked_align, 4 * PAGE_SIZE);
	assert_int_equal(image.base, FRAMES + 3 * PAGE_SIZE);
	assert_true(image.moved && image_checksum(&image) == sum);
	assert_true(freed == FRAMES && freed_frames == 3);
	/* An image that moves a second time frees its first frames. */
	image.base = BASE + PAGE_SIZE;
	memcpy(memory + PAGE_SIZE, memory + FRAMES - BASE + 3 * PAGE_SIZE, 5 * PAGE_SIZE);
	image_place(&image, 0, MIB(2), &anywhere);
	assert_true(freed == BASE + PAGE_SIZE && freed_frames == 5);
	assert_true(image.base == FRAMES && image_checksum(&image) == sum);
}

static void an_image_moves_to_the_nodes_it_is_bound_to(void **state)
{
	const struct frame_policy policy = {.mode = FRAME_BIND, .nodes = {BIT(1)}};
	const struct frame_policy here = {.mode = FRAME_BIND, .nodes = {BIT(0)}};
	const struct numa before = numa;
	char *memory = phys_arena(BASE, BYTES);
	struct image image = {.path = "/i", .base = BASE, .size = 2 * PAGE_SIZE, .aligned = true};
	uint64_t sum;

	memset(memory, 0x77, 2 * PAGE_SIZE);
	sum = image_checksum(&image);
	numa.n_spans = 2;
	numa.span[1] = (struct numa_span){.start = FRAMES, .node = 1};
	asked_frames = 0;
	image_place(&image, 0, PAGE_SIZE, &here);
	assert_true(asked_frames == 0 && image_is_on(&image, &here));
	no_frames = true;
	image_place(&image, 0, PAGE_SIZE, &policy);
	assert_true(image.base == BASE && !image_is_on(&image, &policy));
	no_frames = false;
	image_place(&image, 0, PAGE_SIZE, &policy);
	assert_true(asked_frames == 2 && asked_mode == FRAME_BIND);
	assert_true(image.base == FRAMES && image.moved && image_checksum(&image) == sum);
	assert_true(image_is_on(&image, &policy) && !image_is_on(&image, &here));
	/* A part on another node is enough to be elsewhere. */
	image.base = FRAMES - PAGE_SIZE;
	assert_false(image_is_on(&image, &policy));
	assert_false(image_is_on(&image, &here));
	numa = before;
}

static void errors_have_the_words_of_strerror(void **state)
{
	assert_string_equal(image_error_text(IMAGE_OK), "Success");
	assert_string_equal(image_error_text(IMAGE_NOT_FOUND), "No such file or directory");
	assert_string_equal(image_error_text(IMAGE_NOT_DIRECTORY), "Not a directory");
	assert_string_equal(image_error_text(IMAGE_LOOP), "Too many levels of symbolic links");
	assert_string_equal(image_error_text(IMAGE_NO_PERMISSION), "Permission denied");
	assert_string_equal(image_error_text(IMAGE_NAME_TOO_LONG), "File name too long");
	assert_string_equal(image_error_text(IMAGE_IS_DIRECTORY), "Is a directory");
	assert_string_equal(image_error_text(IMAGE_NO_MEMORY), "Cannot allocate memory");
	assert_string_equal(image_error_text((enum image_error)99), "Unknown error");
}

static struct image_list now; /* an empty one */

/* What writes many bytes can be done in pieces. Until the last one, the image is as before. */
static void large_work_waits_for_its_pieces(void **state)
{
	char *memory = phys_arena(BASE, BYTES), *frames = memory + (FRAMES - BASE);
	struct image image = {.path = "/i", .base = BASE + 3, .size = 5000}, new = {.path = "/n"};
	const struct frame_policy policy = {.mode = FRAME_LOCAL};
	struct image_work work = {0};
	struct image_list list = {.later = &work};

	memset(frames, 0xee, 3 * PAGE_SIZE);
	memset(memory + 3, 7, 5000);
	assert_false(image_work_some(&work, 1));
	assert_int_equal(image_align(&list, &image), OK);
	assert_true(image_work_some(&work, 4999));
	assert_true(image.base == BASE + 3 && !image.aligned && frames[4999] != 7);
	assert_false(image_work_some(&work, 4999));
	assert_true(image.base == FRAMES && image.aligned && image.moved);
	assert_memory_equal(frames, memory + 3, 5000);
	assert_int_equal(image_grow(&list, &new, 2 * PAGE_SIZE, &policy), OK);
	memset(frames, 0xee, 3 * PAGE_SIZE);
	assert_true(image_work_some(&work, PAGE_SIZE));
	assert_true(frames[PAGE_SIZE - 1] == 0 && (uint8_t)frames[PAGE_SIZE] == 0xee);
	assert_false(image_work_some(&work, UINT64_MAX));
	assert_true(frames[2 * PAGE_SIZE - 1] == 0 && (uint8_t)frames[2 * PAGE_SIZE] == 0xee);
	assert_null(new.target);
	assert_false(image_work_some(&work, 1));
}

static void data_are_moved_once_and_followed_by_zeros(void **state)
{
	char *memory = phys_arena(BASE, BYTES), *frames = memory + (FRAMES - BASE);
	struct image image = {.path = "/i", .base = BASE + 3, .size = 5000};
	uint64_t sum;

	for (size_t i = 0; i < 5000; i++)
		memory[3 + i] = (char)(i * 7 + 1);
	memset(frames, 0xee, 3 * PAGE_SIZE);
	sum = image_checksum(&image);
	assert_int_equal(image_align(&now, &image), OK);
	assert_int_equal(asked_frames, 2);
	assert_int_equal(asked_align, PAGE_SIZE);
	assert_int_equal(image.base, FRAMES);
	assert_true(image.aligned && image.moved);
	assert_int_equal(image_checksum(&image), sum);
	assert_memory_equal(frames, memory + 3, 5000);
	for (size_t i = 5000; i < 2 * PAGE_SIZE; i++)
		assert_int_equal(frames[i], 0);
	assert_int_equal((uint8_t)frames[2 * PAGE_SIZE], 0xee);
	asked_frames = 0;
	assert_int_equal(image_align(&now, &image), OK);
	assert_int_equal(asked_frames, 0);
}

static void big_images_get_large_pages(void **state)
{
	struct image image = {.path = "/i", .base = FRAMES + MIB(3) + 4, .size = MIB(2) - 1};

	phys_arena(BASE, BYTES);
	assert_int_equal(image_align(&now, &image), OK);
	assert_int_equal(asked_align, PAGE_SIZE);
	image = (struct image){.path = "/i", .base = FRAMES + MIB(3) + 4, .size = MIB(2)};
	assert_int_equal(image_align(&now, &image), OK);
	assert_int_equal(asked_frames, 512);
	assert_int_equal(asked_align, MIB(2));
}

static void without_frames_nothing_is_moved(void **state)
{
	struct image image = {.path = "/i", .base = BASE + 3, .size = 5000};

	phys_arena(BASE, BYTES);
	no_frames = true;
	assert_int_equal(image_align(&now, &image), ERR_NOMEM);
	assert_int_equal(image.base, BASE + 3);
	assert_false(image.aligned || image.moved);
	image.size = 0;
	assert_int_equal(image_align(&now, &image), OK);
}

static void a_checksum_sees_every_byte_and_the_length(void **state)
{
	char *memory = phys_arena(BASE, BYTES);
	struct image image = {.base = BASE};
	uint64_t sums[64], n = 0;

	for (image.size = 0; image.size < 20; image.size++)
		sums[n++] = image_checksum(&image);
	image.size = 20;
	for (size_t i = 0; i < 20; i++) {
		memory[i] ^= (char)0x80;
		sums[n++] = image_checksum(&image);
		memory[i] ^= (char)0x80;
	}
	memory[20] = 1; /* after the end */
	sums[n++] = image_checksum(&image);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(sums[i], sums[j]);
	}
	memory[20] = 0;
	assert_int_equal(image_checksum(&image), sums[n - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(paths_lead_where_linux_would_go, setup),
		cmocka_unit_test_setup(only_files_are_found, setup),
		cmocka_unit_test_setup(the_last_of_a_name_counts, setup),
		cmocka_unit_test_setup(long_names_are_refused, setup),
		cmocka_unit_test_setup(a_link_with_a_nul_leads_nowhere, setup),
		cmocka_unit_test_setup(a_file_is_made_where_its_directory_is, setup),
		cmocka_unit_test_setup(long_names_are_not_created, setup),
		cmocka_unit_test_setup(a_file_needs_room_for_its_entry, setup),
		cmocka_unit_test_setup(a_file_grows_and_goes_with_its_frames, setup),
		cmocka_unit_test_setup(a_window_is_aligned_if_that_can_be, setup),
		cmocka_unit_test_setup(an_image_moves_to_the_nodes_it_is_bound_to, setup),
		cmocka_unit_test(errors_have_the_words_of_strerror),
		cmocka_unit_test_setup(large_work_waits_for_its_pieces, setup),
		cmocka_unit_test_setup(data_are_moved_once_and_followed_by_zeros, setup),
		cmocka_unit_test_setup(big_images_get_large_pages, setup),
		cmocka_unit_test_setup(without_frames_nothing_is_moved, setup),
		cmocka_unit_test_setup(a_checksum_sees_every_byte_and_the_length, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
