/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/map.h"

#include "hv/config/map_line.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/output.h"

enum job_state { JOB_WAITS, JOB_RUNS, JOB_HAS_ENDED };

struct map_job {
	const char *text; /* NUL-terminated */
	enum job_state state;
	struct map_result result; /* its end is known before its VM has ended, or never */
	uint64_t begun;		  /* host TSC */
};

/* In frames of its own, with the texts. Guarded by vms_lock, except a running job's own. */
struct map {
	uint64_t n_frames;
	unsigned n_jobs;
	unsigned next; /* no job before this one waits */
	unsigned n_ended, n_well;
	struct map_job job[];
};

static struct clone_config *lines;
static bool has_failed; /* a job has not ended well; atomic */

static void note_failure(void)
{
	__atomic_store_n(&has_failed, true, __ATOMIC_RELAXED);
}

static void copy_jobs(struct map *map, const struct image *image)
{
	const char *text = phys_to_virt(image->base), *job;
	struct map_jobs jobs = {.at = text, .end = text + image->size};
	char *to = (char *)&map->job[map->n_jobs];
	size_t len;

	for (unsigned i = 0; map_next_job(&jobs, &job, &len); i++) {
		map->job[i] = (struct map_job){.text = to};
		memcpy(to, job, len);
		to[len] = '\0';
		to += len + 1;
	}
}

static void prepare(struct clone_config *line)
{
	const struct image *image = line->map->jobs_image;
	uint64_t size = sizeof(struct map) + line->count * sizeof(struct map_job) + image->size + 1;
	uint64_t n_frames = align_up(size, PAGE_SIZE) / PAGE_SIZE;
	phys_t frames = frame_alloc_run(n_frames, PAGE_SIZE);

	if (frames == 0) {
		log_error("map: %s: no memory for %u jobs", line->template, line->count);
		line->count = 0;
		note_failure();
		return;
	}
	line->map->map = phys_to_virt(frames);
	*line->map->map = (struct map){.n_frames = n_frames, .n_jobs = line->count};
	copy_jobs(line->map->map, image);
}

void map_set_config(struct clone_config *config)
{
	lines = config;
	for (struct clone_config *line = lines; line; line = line->next)
		if (line->map)
			prepare(line);
}

uint32_t map_numbers_end(const struct vm *template)
{
	uint32_t end = 0;

	for (const struct clone_config *line = lines; line; line = line->next)
		if (line->map && strcmp(line->template, template->name) == 0 &&
		    line->map->first + line->count > end)
			end = line->map->first + line->count;
	return end;
}

uint32_t map_take(struct clone_config *line)
{
	struct map *map = line->map->map;

	while (map->job[map->next].state != JOB_WAITS) {
		map->next++;
		assert(map->next < map->n_jobs);
	}
	map->job[map->next].state = JOB_RUNS;
	return line->map->first + map->next;
}

void map_put_back(struct clone_config *line, uint32_t number)
{
	struct map *map = line->map->map;
	unsigned i = number - line->map->first;

	map->job[i].state = JOB_WAITS;
	if (i < map->next)
		map->next = i;
}

static struct map_job *job_of(const struct vm *clone)
{
	const struct map_config *map = clone->made_for->map;

	return &map->map->job[clone->number - map->first];
}

void map_begin(struct clone_config *line, struct vm *clone)
{
	struct map_job *job = &line->map->map->job[clone->number - line->map->first];

	clone->platform.fw_cfg.identity.job = job->text;
	clone->platform.job_port.is_there = true;
	job->begun = rdtsc();
}

void map_job_ends(struct vm *clone, uint16_t wait_status)
{
	struct map_result result;
	bool is_first;

	map_decode_wait(wait_status, &result);
	if (result.end == MAP_EXIT)
		is_first = vm_end(clone, result.status == 0 ? VM_ENDED_WELL : VM_FAILED,
				  "its job exited with %u", result.status);
	else
		is_first = vm_end(clone, VM_FAILED, "signal %u has ended its job", result.signal);
	if (is_first)
		job_of(clone)->result = result;
}

static bool is_well(const struct map_result *result)
{
	return result->end == MAP_EXIT && result->status == 0;
}

static void log_result(struct vm *clone, const struct map_result *result, uint64_t n_private)
{
	struct map_cost cost = {
		.ms = (rdtsc() - job_of(clone)->begun) / (tsc_hz / 1000),
		.private_kib = n_private * PAGE_SIZE / KIB(1),
	};
	char text[MAP_TEXT_MAX];

	map_text_line(result, &cost, text);
	vm_output_pays(clone);
	log_info("map: %s", text);
}

/* Count a job. The map, if this was its last one; it is then the caller's. */
static struct map *end_job(struct map_config *config, struct map_job *job)
{
	struct map *map = config->map;
	bool is_last;

	lock_acquire(&vms_lock);
	job->state = JOB_HAS_ENDED;
	map->n_well += is_well(&job->result);
	is_last = ++map->n_ended == map->n_jobs;
	if (is_last)
		config->map = NULL;
	lock_release(&vms_lock);
	return is_last ? map : NULL;
}

static void finish(const struct clone_config *line, struct map *map)
{
	log_info("map: %s: %u jobs: %u exit 0, %u others", line->template, map->n_jobs, map->n_well,
		 map->n_jobs - map->n_well);
	frame_free_run(virt_to_phys(map), map->n_frames);
}

void map_report(struct vm *clone, uint64_t n_private)
{
	struct map_job *job = job_of(clone);
	struct map_result *result = &job->result;
	struct map *map;

	result->job = clone->number;
	result->name = clone->name;
	result->reason = clone->why;
	if (result->end == MAP_ENDS_UNSAID)
		result->end = clone->by_operator ? MAP_ENDED : MAP_CRASH;
	log_result(clone, result, n_private);
	if (!is_well(result))
		note_failure();
	map = end_job(clone->made_for->map, job);
	if (map != NULL)
		finish(clone->made_for, map);
}

bool map_all_are_well(void)
{
	for (struct clone_config *line = lines; line; line = line->next) {
		struct map *map = line->map ? line->map->map : NULL;

		if (map == NULL)
			continue;
		log_error("map: %s: %u of %u jobs were not run", line->template,
			  map->n_jobs - map->n_ended, map->n_jobs);
		note_failure();
		finish(line, map);
		line->map->map = NULL;
	}
	return !has_failed;
}
