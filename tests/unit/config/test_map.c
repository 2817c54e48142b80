/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines "map TEMPLATE ...", and the files of jobs. */
#include "hv/config/map_line.h"
#include "hv/config/map_read.h"

#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

#define TEMPLATE "vm t -m 16M -kernel /k\n"

static char longest[MAP_JOB_MAX + 1];
static struct image job_files[4];

/* Add files: of three jobs, of none, with a job that is too long, and with a zero byte. */
static void add_files(void)
{
	static const struct {
		const char *path, *text;
		size_t len;
	} files[] = {
		{"/jobs", "\na\n\nb\r\nc", 8},
		{"/empty", "\n\n", 2},
		{"/long", longest, sizeof(longest)},
		{"/zero", "a\nb\0\n", 5},
	};
	struct image **tail = &images.first;

	memset(longest, 'x', sizeof(longest));
	while (*tail)
		tail = &(*tail)->next;
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		job_files[i] = (struct image){.path = files[i].path,
					      .mode = 0644,
					      .base = virt_to_phys(files[i].text),
					      .size = files[i].len};
		*tail = &job_files[i];
		tail = &job_files[i].next;
	}
}

static bool run_with_jobs(const char *text)
{
	start_machine();
	add_files();
	return run_again(text);
}

static void a_map_has_a_clone_for_each_job(void **state)
{
	const struct clone_config *line;

	assert_true(run_with_jobs(TEMPLATE "map t jobs=/jobs out=/results\n"
					   "map t jobs=/jobs first=3 parallel=2 max-private=65K "
					   "timeout=30s\n"));
	line = config.clones;
	assert_string_equal(line->template, "t");
	assert_int_equal(line->count, 3);
	assert_int_equal(line->parallel, UINT32_MAX);
	assert_int_equal(line->map->first, 0);
	assert_int_equal(line->max_private, 0);
	assert_int_equal(line->map->timeout_ms, 0);
	assert_string_equal(line->map->out, "/results");
	line = line->next;
	assert_int_equal(line->count, 3);
	assert_int_equal(line->parallel, 2);
	assert_int_equal(line->map->first, 3);
	assert_int_equal(line->max_private, KIB(64));
	assert_int_equal(line->map->timeout_ms, 30000);
}

static void a_time_has_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* 0: it is refused */
	} cases[] = {{"1ms", 1},
		     {"500ms", 500},
		     {"30s", 30000},
		     {"2m", 120000},
		     {"4294967295ms", 4294967295},
		     {"4294968s", 0},

		     {"4294967296s", 0},
		     {"10000000000s", 0},
		     {"0s", 0},
		     {"30", 0},
		     {"s", 0},
		     {"", 0},
		     {"1h", 0},
		     {"-1s", 0},
		     {"1 s", 0},
		     {"1.5s", 0},
		     {"1ss", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct map_config map = {0};
		struct clone_config line = {.map = &map};
		char word[32];
		const char *value;
		const struct map_parameter *parameter;

		snprintf(word, sizeof(word), "timeout=%s", cases[i].text);
		parameter = map_find_parameter(word, &value);
		assert_int_equal(parameter->set(&line, value), cases[i].ms != 0);
		assert_true(cases[i].ms == 0 || map.timeout_ms == cases[i].ms);
	}
}

static void each_line_that_is_not_empty_is_a_job(void **state)
{
	struct map_jobs jobs = {.at = "\na b\n\nc\r\nlast", .end = jobs.at + 13};
	static const char *const want[] = {"a b", "c\r", "last"};
	const char *job;
	size_t len;

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(map_next_job(&jobs, &job, &len));
		assert_int_equal(len, strlen(want[i]));
		assert_memory_equal(job, want[i], len);
	}
	assert_false(map_next_job(&jobs, &job, &len));
}

static void the_longest_job_is_allowed(void **state)
{
	unsigned n, line;

	memset(longest, 'x', sizeof(longest));
	assert_null(map_check_jobs(longest, MAP_JOB_MAX, &n, &line));
	assert_int_equal(n, 1);
	assert_non_null(map_check_jobs(longest, MAP_JOB_MAX + 1, &n, &line));
}

#define NAME_48	   "a12345678901234567890123456789012345678901234567"
#define PARAMETERS "error:       = parameters: " MAP_PARAMETERS "\n"

static void what_is_wrong_is_reported_with_its_place(void **state)
{
	static const struct {
		const char *text, *reported;
	} cases[] = {
		{"map", "error: t:2:1: 'map' needs the name of a template\n"},
		{"map t", "error: t:2:5: Parameter 'jobs' is missing\n"},
		{"map t jobs=", "error: t:2:12: Parameter 'jobs' expects the path of a file\n"},
		{"map t jobs=/none",
		 "error: t:2:12: could not open '/none': No such file or directory\n"},
		{"map t jobs=/empty",
		 "error: t:2:12: '/empty': there is no job in it: write one on each line\n"},
		{"map t jobs=/long",
		 "error: t:2:12: '/long', line 1: the job is longer than 4095 bytes\n"},
		{"map t jobs=/zero", "error: t:2:12: '/zero', line 2: the job has a zero byte\n"},
		{"map t jobs=/jobs first=-1",
		 "error: t:2:24: Parameter 'first' expects a number\n"},
		{"map t jobs=/jobs first=4294967295",
		 "error: t:2:5: map: the last job's number is above 2^32 - 2\n"},
		{"map t jobs=/jobs parallel=0",
		 "error: t:2:27: Parameter 'parallel' expects a number of at least 1\n"},
		{"map t jobs=/jobs timeout=30",
		 "error: t:2:26: Parameter 'timeout' expects a time such as 500ms, 30s or 2m\n"},
		{"map t jobs=/jobs max-private=4095",
		 "error: t:2:30: Parameter 'max-private' expects a size of at least 4K\n"},
		{"map t jobs=/jobs out=/jobs",
		 "error: t:2:22: map: failed to open '/jobs': File exists\n"},
		{"map t jobs=/jobs out=/none/r",
		 "error: t:2:22: map: no folder '/none/': No such file or directory\n"},
		{"map t jobs=/jobs out=",
		 "error: t:2:22: Parameter 'out' expects a path of at most 190 bytes\n"},
		{"map t jobs=/jobs out=/r\nmap t jobs=/jobs first=3 out=/r",
		 "error: t:3:30: map: '/r' is the archive of the map in line 2\n"},
		{"vm " NAME_48 " -kernel /k\nclone " NAME_48 "\nmap " NAME_48 "-10000 jobs=/jobs",
		 "error: t:4:5: map: the name '" NAME_48 "-10000' is longer than 52 characters\n"},
		{"map t job=/jobs", "error: t:2:7: map: Invalid parameter 'job=/jobs'\n"
				    "error:       = did you mean 'jobs'?\n" PARAMETERS},
		{"map t jobs=/jobs count=3",
		 "error: t:2:18: map: Invalid parameter 'count=3'\n" PARAMETERS},
		{"map t jobs", "error: t:2:7: map: Invalid parameter 'jobs'\n" PARAMETERS},
		{"map u jobs=/jobs", "error: t:2:5: there is no VM 'u' that could be a template\n"
				     "error:       = the only VM is 't'\n"},
		{"map t jobs=/jobs first=2\nmap t jobs=/jobs",
		 "error: t:3:5: map: jobs 0 to 2 of 't' are those of the map in line 2: write "
		 "first=5\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), TEMPLATE "%s\n", cases[i].text);
		assert_false(run_with_jobs(text));
		assert_string_equal(logged, cases[i].reported);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_has_a_clone_for_each_job),
		cmocka_unit_test(a_time_has_a_unit),
		cmocka_unit_test(each_line_that_is_not_empty_is_a_job),
		cmocka_unit_test(the_longest_job_is_allowed),
		cmocka_unit_test(what_is_wrong_is_reported_with_its_place),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
