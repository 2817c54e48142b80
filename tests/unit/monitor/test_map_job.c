/* SPDX-License-Identifier: BSD-2-Clause */
/* The command "map": what is refused, and what begins. */
#include "hv/monitor/map_job.h"

#include <string.h>

#include "hv/config/map_line.h"
#include "hv/frame/phys.h"
#include "hv/host/tsc.h"
#include "hv/monitor/job.h"
#include "hv/vm/map.h"
#include "hv/vm/template.h"
#include "tests/unit/support.h"

uint64_t tsc_hz = 1000000;
struct lock vms_lock;

void vms_gather(void)
{
}

static char heard[1024];
static char entries[1 << 14] __attribute__((aligned(16)));
static struct arena arena;
static struct image_list images = {.first = NULL, .arena = &arena};
static struct image folder, files[3];
static struct vm template = {.name = "t"};
static struct clone_config *started;
static bool has_memory;
static unsigned n_pieces; /* of a map that is not finished */

size_t console_waiting(void)
{
	return 0;
}

void console_write_raw(const char *text, size_t len)
{
	fail(); /* there is a listener */
}

bool template_keep_numbers(struct vm *of, uint32_t first, uint32_t n)
{
	bool are_free = first >= of->next_number;

	assert_ptr_equal(of, &template);
	assert_int_equal(of->n_holds, 3);
	if (are_free)
		of->next_number = first + n;
	return are_free;
}

void template_start_line(struct vm *of, struct clone_config *line)
{
	assert_ptr_equal(of, &template);
	started = line;
}

enum status map_prepare(struct clone_config *line)
{
	return has_memory ? OK : ERR_NOMEM;
}

bool map_is_done(void)
{
	return n_pieces > 0;
}

bool map_finish_some(void)
{
	return n_pieces > 0 && n_pieces-- > 0;
}

void template_put(struct vm *of)
{
	of->n_holds--;
}

static void hear(const char *text, size_t len)
{
	assert_true(strlen(heard) + len < sizeof(heard));
	strncat(heard, text, len);
}

static bool has_room(void)
{
	return true;
}

static void add_file(struct image *file, const char *path, const char *text, size_t len)
{
	*file = (struct image){.next = images.first,
			       .path = path,
			       .mode = 0644,
			       .base = virt_to_phys(text),
			       .size = len};
	images.first = file;
}

static int begin(void **state)
{
	static const struct listener listener = {hear, has_room};

	arena = (struct arena){.base = entries, .size = sizeof(entries)};
	images.first = NULL;
	add_file(&files[0], "/jobs", "a\nb\n", 4);
	add_file(&files[1], "/empty", "", 0);
	add_file(&files[2], "/zero", "a\nb\0\n", 5);
	folder = (struct image){
		.next = images.first, .path = "/d", .type = IMAGE_DIRECTORY, .mode = 0755};
	images.first = &folder;
	map_job_setup(&images);
	say_to(&listener);
	template = (struct vm){.name = "t", .n_holds = 2, .next_number = 3};
	started = NULL;
	has_memory = true;
	heard[0] = '\0';
	return 0;
}

/* Whatever happens, the template is let go. */
static void type(const char *const *words, size_t n)
{
	heard[0] = '\0';
	map_job_start(&template, words, n);
	while (job_is_running())
		job_work();
	assert_int_equal(template.n_holds, 2);
}

static void a_map_begins(void **state)
{
	char words[6][32] = {"jobs=/jobs", "out=/d/results", "first=5",
			     "parallel=2", "timeout=2s",     "max-private=1M"};
	const char *const list[] = {words[0], words[1], words[2], words[3], words[4], words[5]};

	type(list, 6);
	assert_string_equal(heard, "");
	memset(words, 'x', sizeof(words)); /* the line is typed again */
	assert_string_equal(started->template, "t");
	assert_string_equal(started->map->jobs, "/jobs");
	assert_string_equal(started->map->out, "/d/results");
	assert_int_equal(started->map->first, 5);
	assert_int_equal(started->parallel, 2);
	assert_int_equal(started->map->timeout_ms, 2000);
	assert_int_equal(started->max_private, MIB(1));
	assert_int_equal(started->count, 2);
	assert_ptr_equal(started->map->jobs_image, &files[0]);
	assert_int_equal(template.next_number, 7);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *words[2];
		const char *heard;
	} cases[] = {
		{{"first=3"}, "map: parameter 'jobs' is missing\n"},
		{{"jobs=/jobs", "first=x"}, "map: parameter 'first' expects a number\n"},
		{{"jobs=/jobs", "count=2"},
		 "map: invalid parameter 'count=2', try: " MAP_PARAMETERS "\n"},
		{{"jobs=/none"}, "Error: map: could not open '/none': No such file or directory\n"},
		{{"jobs=/d"}, "Error: map: could not open '/d': Is a directory\n"},
		{{"jobs=/empty"},
		 "Error: map: '/empty': there is no job in it: write one on each line\n"},
		{{"jobs=/zero"}, "Error: map: '/zero', line 2: the job has a zero byte\n"},
		{{"jobs=/jobs", "out=/empty"},
		 "Error: map: failed to open '/empty': File exists\n"},
		{{"jobs=/jobs"}, "Error: map: clones of t have such numbers: write first=3\n"},
		{{"jobs=/jobs", "first=4294967294"},
		 "Error: map: the last job's number is above 2^32 - 2\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].words, cases[i].words[1] != NULL ? 2 : 1);
		assert_string_equal(heard, cases[i].heard);
		assert_null(started);
	}
	template.name = "a-12345678901234567890123456789012345678901234567890-1";
	type(cases[0].words, 1);
	assert_non_null(strstr(heard, "is longer than 52 characters\n"));
}

static void no_memory_is_said(void **state)
{
	static const char *const words[] = {"jobs=/jobs", "first=3", "out=/new"};

	has_memory = false;
	type(words, 2);
	assert_string_equal(heard, "Error: map: there is no memory\n");
	for (arena.size = 0; arena.size < 512 && started == NULL; arena.size += 16) {
		arena.used = 0;
		has_memory = true;
		template.next_number = 3;
		type(words, 3);
		assert_true(started != NULL || strcmp(heard, "Error: map: no memory\n") == 0);
	}
	assert_non_null(started);
}

static void a_map_is_finished_in_pieces(void **state)
{
	map_job_begin_due();
	assert_false(job_is_running());
	n_pieces = 3;
	map_job_begin_due();
	assert_false(job_can_be_interrupted());
	while (job_is_running())
		job_work();
	assert_int_equal(n_pieces, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_map_begins),
		TEST(what_is_wrong_is_said),
		TEST(no_memory_is_said),
		TEST(a_map_is_finished_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
