/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run hands over, as the next start finds it. */
#include "hv/monitor/parcel.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MACHINE MIB(64)

static struct image files[6];
static struct parcel head;
static unsigned n;

/* A list of files with these sizes. */
static void make_files(const uint64_t *sizes, size_t n_files)
{
	static char names[ARRAY_SIZE(files)][24];

	memset(files, 0, sizeof(files));
	for (size_t i = 0; i < n_files; i++) {
		snprintf(names[i], sizeof(names[i]), "/f%zu", i);
		files[i].path = names[i];
		files[i].next = i + 1 < n_files ? &files[i + 1] : NULL;
		files[i].size = sizes[i];
		files[i].grown = true;
		if (sizes[i] == 0)
			continue;
		files[i].base =
			frame_alloc_run(align_up(sizes[i], PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
		assert_int_not_equal(files[i].base, 0);
		memset(phys_to_virt(files[i].base), 'a' + (int)i, sizes[i]);
	}
}

static int setup(void **state)
{
	machine_frames_add(MACHINE);
	log_reset();
	memset(&head, 0xff, sizeof(head));
	return 0;
}

static const struct parcel_file *table(void)
{
	return phys_to_virt(head.table);
}

static void made_files_arrive(void **state)
{
	static const uint64_t sizes[] = {1, PAGE_SIZE, 3 * PAGE_SIZE + 5};

	make_files(sizes, ARRAY_SIZE(sizes));
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), OK);
	assert_int_equal(n, 3);
	assert_true(parcel_is_sound(&head));
	assert_true(parcel_table_is_sound(&head, table()));
	assert_int_equal(head.after, PARCEL_BOOT);
	for (unsigned i = 0; i < n; i++) {
		const struct parcel_file *file = &table()[i];
		const void *bytes = phys_to_virt(file->start);

		assert_string_equal(file->name, files[i].path);
		assert_int_equal(file->size, sizes[i]);
		assert_memory_equal(bytes, phys_to_virt(files[i].base), sizes[i]);
		assert_int_equal(file->checksum, parcel_checksum(bytes, sizes[i]));
	}
	assert_string_equal(logged,
			    "hand-over: 3 files, 24 KiB: the next start writes them to the disk\n");
}

static void only_what_this_run_has_changed_is_handed_over(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 4, 5, 0};

	make_files(sizes, ARRAY_SIZE(sizes));
	files[0].grown = false;
	files[1].grown = false;
	files[1].is_written = true;
	files[2].type = IMAGE_SPECIAL;
	files[3].target = &files[1];
	assert_int_equal(parcel_make(files, PARCEL_SWITCH_OFF, &head, &n), OK);
	assert_int_equal(n, 2);
	assert_string_equal(table()[0].name, "/f1");
	assert_string_equal(table()[1].name, "/f4");
	assert_int_equal(head.after, PARCEL_SWITCH_OFF);
}

static void without_files_there_is_no_parcel(void **state)
{
	assert_int_equal(parcel_make(NULL, PARCEL_BOOT, &head, &n), OK);
	assert_int_equal(n, 0);
	assert_false(parcel_is_sound(&head));
	assert_string_equal(logged, "hand-over: this run has made no files\n");
}

/* The firmware allocates from the end of memory, and unpacks itself at its beginning. */
static void the_bytes_lie_in_the_middle_of_free_memory(void **state)
{
	static const uint64_t sizes[] = {MIB(4)};

	make_files(sizes, ARRAY_SIZE(sizes));
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), OK);
	assert_in_range(head.table, MACHINE_FRAMES_START + MACHINE / 4,
			MACHINE_FRAMES_START + MACHINE / 4 * 3);
	assert_in_range(table()->start, MACHINE_FRAMES_START + MACHINE / 4,
			MACHINE_FRAMES_START + MACHINE / 4 * 3);
}

static void a_copy_that_barely_fits_is_made(void **state)
{
	static const uint64_t sizes[] = {MACHINE / 2 - MIB(1)};

	make_files(sizes, ARRAY_SIZE(sizes));
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), OK);
	assert_true(parcel_table_is_sound(&head, table()));
}

static void no_room_is_an_error(void **state)
{
	static const uint64_t sizes[] = {MACHINE / 2};

	make_files(sizes, ARRAY_SIZE(sizes));
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), ERR_NOMEM);
	assert_false(parcel_is_sound(&head));
	assert_string_equal(logged, "error: hand-over: not enough memory in this machine for a "
				    "copy of the files, 32768 KiB\n");
}

static void what_the_format_cannot_hold_is_an_error(void **state)
{
	static const uint64_t sizes[] = {1, 1};
	static char name[PARCEL_NAME_SIZE + 1];

	make_files(sizes, ARRAY_SIZE(sizes));
	files[1].size = PARCEL_SIZE_MAX;
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), ERR_INVAL);
	assert_string_equal(
		logged,
		"error: hand-over: there are more than 1024 files, or more than 4000 MiB\n");
	log_reset();
	memset(name, 'x', PARCEL_NAME_SIZE);
	files[1].size = 1;
	files[1].path = name;
	assert_int_equal(parcel_make(files, PARCEL_BOOT, &head, &n), ERR_INVAL);
	assert_non_null(strstr(logged, "error: hand-over: the name of 'xxx"));
	assert_non_null(strstr(logged, "x' is longer than 231 characters\n"));
	assert_false(parcel_is_sound(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(made_files_arrive, setup),
		cmocka_unit_test_setup(only_what_this_run_has_changed_is_handed_over, setup),
		cmocka_unit_test_setup(without_files_there_is_no_parcel, setup),
		cmocka_unit_test_setup(the_bytes_lie_in_the_middle_of_free_memory, setup),
		cmocka_unit_test_setup(a_copy_that_barely_fits_is_made, setup),
		cmocka_unit_test_setup(no_room_is_an_error, setup),
		cmocka_unit_test_setup(what_the_format_cannot_hold_is_an_error, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
