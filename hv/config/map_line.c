/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/config/map_line.h"

#include "hv/backends/parse.h"
#include "hv/lib/string.h"

static bool read_number(const char *text, uint32_t min, uint32_t *ret)
{
	bool negative;
	uint64_t n;

	if (parse_integer(text, &n, &negative) != OK || negative || n < min || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool set_jobs(struct clone_config *line, const char *value)
{
	line->map->jobs = value;
	return *value != '\0';
}

static bool set_out(struct clone_config *line, const char *value)
{
	line->map->out = value;
	return *value != '\0' && strlen(value) <= SAVE_PATH_MAX;
}

static bool set_first(struct clone_config *line, const char *value)
{
	return read_number(value, 0, &line->map->first);
}

static bool set_parallel(struct clone_config *line, const char *value)
{
	return read_number(value, 1, &line->parallel);
}

/* A number and its unit. */
static bool set_timeout(struct clone_config *line, const char *value)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
	char digits[11] = "";
	uint32_t n;
	size_t len = 0;

	while (value[len] >= '0' && value[len] <= '9' && len < sizeof(digits) - 1) {
		digits[len] = value[len];
		len++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(value + len, units[i].name) == 0 && read_number(digits, 1, &n)) {
			line->map->timeout_ms = n * units[i].ms;
			return line->map->timeout_ms <= UINT32_MAX; /* in ticks it fits, too */
		}
	return false;
}

static bool set_max_private(struct clone_config *line, const char *value)
{
	if (parse_size(value, &line->max_private) != OK)
		return false;
	line->max_private = align_down(line->max_private, PAGE_SIZE);
	return line->max_private > 0;
}

static const struct map_parameter parameters[] = {
	{"jobs", "the path of a file", set_jobs},
	{"out", "a path of at most 190 bytes", set_out},
	{"first", "a number", set_first},
	{"parallel", "a number of at least 1", set_parallel},
	{"timeout", "a time such as 500ms, 30s or 2m", set_timeout},
	{"max-private", "a size of at least 4K", set_max_private},
};

const struct map_parameter *map_find_parameter(const char *word, const char **ret_value)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		size_t len = strlen(parameters[i].name);

		*ret_value = word + len + 1;
		if (strncmp(word, parameters[i].name, len) == 0 && word[len] == '=')
			return &parameters[i];
	}
	return NULL;
}

bool map_next_job(struct map_jobs *jobs, const char **ret, size_t *ret_len)
{
	while (jobs->at < jobs->end) {
		size_t left = (size_t)(jobs->end - jobs->at);
		const char *newline = memchr(jobs->at, '\n', left);

		*ret = jobs->at;
		*ret_len = newline != NULL ? (size_t)(newline - jobs->at) : left;
		jobs->at += *ret_len + (newline != NULL);
		jobs->line++;
		if (*ret_len > 0)
			return true;
	}
	return false;
}

const char *map_check_jobs(const char *text, size_t len, unsigned *ret_n, unsigned *ret_line)
{
	struct map_jobs jobs = {.at = text, .end = text + len};
	const char *job;

	*ret_n = 0;
	while (map_next_job(&jobs, &job, &len)) {
		*ret_line = jobs.line;
		if (len > MAP_JOB_MAX)
			return "the job is longer than 4095 bytes";
		if (memchr(job, '\0', len) != NULL)
			return "the job has a zero byte";
		(*ret_n)++;
	}
	*ret_line = 0;
	return *ret_n > 0 ? NULL : "there is no job in it: write one on each line";
}
