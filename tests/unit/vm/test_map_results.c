/* SPDX-License-Identifier: BSD-2-Clause */
/* What a job leaves, and its part of the archive. */
#include "hv/vm/map_results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/vm/cpio_write.h"
#include "hv/vm/map_archive.h"
#include "tests/unit/support.h"

#define SHARE KIB(64)

static char share[SHARE] __attribute__((aligned(4096)));
static char archive[SHARE + 16];
static struct map_results results;
static struct ept payer;
static struct map_result result;

static int begin(void **state)
{
	payer = (struct ept){.max_owned = EPT_UNLIMITED};
	memset(share, 0xa5, sizeof(share));
	memset(archive, 0xa5, sizeof(archive));
	map_results_begin(&results, share, SHARE);
	map_results_open(&results, "t-7", &payer);
	result = (struct map_result){.job = 7, .name = "t-7", .end = MAP_EXIT};
	return 0;
}

static void say(enum job_channel channel, const char *text)
{
	map_results_write(&results, channel, text, strlen(text));
}

static bool put(const char *name, const char *contents)
{
	map_results_write(&results, JOB_FILE, name, strlen(name) + 1);
	say(JOB_FILE, contents);
	return map_results_put(&results);
}

/* The archive's entries, a line each: mode, number, name, and what is in it. */
static const char *list(void)
{
	static char text[1 << 17];
	uint32_t inode = 1;
	uint64_t len = map_archive_write(&results, &result, archive, &inode), at = 0;
	char *to = text;

	assert_true(len <= SHARE);
	assert_int_equal(len % 4, 0);
	assert_int_equal((uint8_t)archive[len], 0xa5);
	while (at < len) {
		unsigned number, mode, size, name_size;

		assert_int_equal(sscanf(archive + at, "070701%8X%8X", &number, &mode), 2);
		assert_int_equal(sscanf(archive + at + 54, "%8X", &size), 1);
		assert_int_equal(sscanf(archive + at + 94, "%8X", &name_size), 1);
		to += sprintf(to, "%o %u %s", mode, number, archive + at + 110);
		at += align_up(110 + name_size, 4);
		to += sprintf(to, "%s%.*s\n", size ? ": " : "", (int)size, archive + at);
		at += align_up(size, 4);
	}
	assert_int_equal(at, len);
	return text;
}

#define STATUS "{\"job\": 7, \"name\": \"t-7\", \"end\": \"exit\", \"status\": 0, \"signal\": 0, "

static void a_job_without_a_word_has_a_folder_of_three_files(void **state)
{
	assert_string_equal(list(),
			    "40755 1 t-7\n"
			    "100644 2 t-7/status.json: " STATUS
			    "\"stdout_cut\": false, \"stderr_cut\": false, \"files\": 0}\n\n"
			    "100644 3 t-7/stdout\n"
			    "100644 4 t-7/stderr\n");
}

static void output_and_files_are_in_their_places(void **state)
{
	say(JOB_STDOUT, "one\n");
	say(JOB_STDERR, "oh\n");
	say(JOB_STDOUT, "two\n");
	assert_true(put("b", "B"));
	assert_true(put("a/b/d", "ABD"));
	assert_true(put("a-c", ""));
	assert_true(put("a/b.c", "ABC"));
	assert_string_equal(list(),
			    "40755 1 t-7\n"
			    "100644 2 t-7/status.json: " STATUS
			    "\"stdout_cut\": false, \"stderr_cut\": false, \"files\": 4}\n\n"
			    "100644 3 t-7/stdout: one\ntwo\n\n"
			    "100644 4 t-7/stderr: oh\n\n"
			    "40755 5 t-7/files\n"
			    "40755 6 t-7/files/a\n"
			    "40755 7 t-7/files/a/b\n"
			    "100644 8 t-7/files/a/b/d: ABD\n"
			    "100644 9 t-7/files/a/b.c: ABC\n"
			    "100644 10 t-7/files/a-c\n"
			    "100644 11 t-7/files/b: B\n");
}

static void names_that_are_not_allowed_are_refused(void **state)
{
	static const char *const names[] = {"",	     "/a",   "a/",   "a//b", ".",     "..",
					    "a/./b", "../a", "a/..", "a\tb", "a\x7f", "\xc3\xa4"};
	char longest[MAP_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(put(names[i], "x"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[MAP_NAME_MAX + 1] = '\0';
	assert_false(put(longest, "x"));
	longest[MAP_NAME_MAX] = '\0';
	assert_true(put(longest, "x"));
	assert_true(put("...", "x"));
	assert_false(map_results_put(&results)); /* nothing was written */
	say(JOB_FILE, "no end of the name");
	assert_false(map_results_put(&results));
	assert_int_equal(results.n_files, 2);
}

static void a_dropped_file_is_no_part_of_the_next(void **state)
{
	map_results_drop(&results);
	map_results_write(&results, JOB_FILE, "half", 5);
	for (unsigned i = 0; i < 3000; i++)
		say(JOB_FILE, "contents");
	map_results_drop(&results);
	assert_true(put("whole", "x"));
	assert_int_equal(results.n_files, 1);
	assert_null(strstr(list(), "half"));
}

static void a_name_is_a_file_or_a_folder(void **state)
{
	assert_true(put("a/b", ""));
	assert_false(put("a", ""));
	assert_false(put("a/b", ""));
	assert_false(put("a/b/c", ""));
	assert_true(put("a.b", ""));
	assert_true(put("ab", ""));
	assert_true(put("a/c", ""));
	assert_int_equal(results.n_files, 4);
}

/* What was refused leaves its room to others. */
static void a_file_that_does_not_fit_is_refused(void **state)
{
	static char big[SHARE];

	memset(big, 'x', sizeof(big) - 1);
	for (unsigned i = 0; i < 10; i++)
		assert_false(put("big", big));
	big[SHARE / 2] = '\0';
	assert_true(put("half", big));
	assert_false(put("half2", big));
	big[SHARE / 4] = '\0';
	assert_true(put("quarter", big));
	(void)list();
}

static void output_that_does_not_fit_is_cut(void **state)
{
	char line[100];

	memset(line, 'x', sizeof(line) - 1);
	line[99] = '\0';
	for (unsigned i = 0; i < SHARE / 99; i++)
		say(JOB_STDOUT, line);
	say(JOB_STDERR, "oh");
	assert_true(results.is_cut[JOB_STDOUT]);
	assert_true(results.is_cut[JOB_STDERR]);
	assert_false(put("a", ""));
	assert_true(results.stream[JOB_STDOUT].size > SHARE - KIB(4));
	assert_non_null(strstr(list(), "\"stdout_cut\": true, \"stderr_cut\": true, \"files\": 0"));
}

/* Whatever is written in whatever order, the part fits the share. */
static void the_part_always_fits(void **state)
{
	static char text[SHARE];

	srandom(12);
	memset(text, 'x', sizeof(text));
	for (unsigned round = 0; round < 300; round++) {
		begin(NULL);
		for (unsigned i = 0; i < 60; i++) {
			char name[32];

			sprintf(name, "%ld/%ld/%ld", random() % 5, random() % 5, random() % 50);
			map_results_write(&results, random() % 2, text, random() % 3000);
			map_results_write(&results, JOB_FILE, name, strlen(name) + 1);
			map_results_write(&results, JOB_FILE, text, random() % 9000);
			(void)map_results_put(&results);
		}
		(void)list();
	}
}

static void each_page_is_charged(void **state)
{
	payer.max_owned = 3;
	say(JOB_STDOUT, "a");
	say(JOB_STDERR, "b");
	assert_int_equal(payer.max_owned, 1);
	assert_true(put("one", ""));
	assert_false(put("two", ""));
	say(JOB_STDOUT, "c");
	assert_int_equal(payer.max_owned, 0);
	assert_false(results.is_cut[JOB_STDOUT]);
	map_results_open(&results, "t-7", &payer); /* a revert */
	assert_int_equal(payer.max_owned, 3);
	assert_int_equal(results.n_files, 0);
	assert_non_null(strstr(list(), "t-7/stdout\n"));
}

static void without_a_share_nothing_is_kept(void **state)
{
	map_results_begin(&results, NULL, 0);
	map_results_open(&results, "t-7", &payer);
	say(JOB_STDOUT, "a");
	assert_false(put("a", "b"));
	assert_false(put("", ""));
	assert_int_equal(results.n_files, 0);
	assert_false(results.is_cut[JOB_STDOUT]);
}

static void so_many_files_are_kept(void **state)
{
	static char room[MIB(8)] __attribute__((aligned(4096)));
	char name[8];

	map_results_begin(&results, room, sizeof(room));
	map_results_open(&results, "t-7", &payer);
	for (unsigned i = 0; i < MAP_FILES_MAX; i++) {
		sprintf(name, "%u", i);
		assert_true(put(name, "x"));
	}
	assert_false(put("one more", "x"));
}

static void an_archive_ends_with_a_trailer(void **state)
{
	size_t len = cpio_write_trailer(archive, 516);

	assert_int_equal((516 + len) % 512, 0);
	assert_string_equal(archive + 110, "TRAILER!!!");
	assert_true(len <= CPIO_TRAILER_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_without_a_word_has_a_folder_of_three_files),
		TEST(output_and_files_are_in_their_places),
		TEST(names_that_are_not_allowed_are_refused),
		TEST(a_dropped_file_is_no_part_of_the_next),
		TEST(a_name_is_a_file_or_a_folder),
		TEST(a_file_that_does_not_fit_is_refused),
		TEST(output_that_does_not_fit_is_cut),
		TEST(the_part_always_fits),
		TEST(each_page_is_charged),
		TEST(without_a_share_nothing_is_kept),
		TEST(so_many_files_are_kept),
		TEST(an_archive_ends_with_a_trailer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
