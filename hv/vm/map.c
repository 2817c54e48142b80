/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The results of all jobs are kept in one run of frames, taken before the first one starts: a share
 * for each job, and one more. When all have ended, the boot processor makes the archive from the
 * run's beginning on, job after job: each part is made in the share that is left, and copied to its
 * place, which may reach into the job's own share but not into later ones.
 */
#include "hv/vm/map.h"

#include "hv/config/map_line.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/clone_line.h"
#include "hv/vm/cpio_write.h"
#include "hv/vm/map_archive.h"
#include "hv/vm/output.h"

#define MEMORY_PART 4 /* results take at most this part of the free memory */

enum map_job_state { MAP_JOB_WAITS, MAP_JOB_RUNS, MAP_JOB_HAS_ENDED };

struct map_job {
	const char *text; /* NUL-terminated */
	enum map_job_state state;
	struct map_result result; /* its end is known before its VM has ended, or never */
	char why[160];		  /* the VM has ended */
	uint64_t begun;		  /* host TSC */
	struct vm *clone;	  /* while it may be ended because of the time; else NULL */
	struct map_results results;
};

/* In frames of its own, with the texts. Guarded by vms_lock, except a running job's own. */
struct map {
	struct map *after; /* in 'done' */
	struct clone_config *line;
	uint64_t n_frames;
	unsigned n_jobs;
	unsigned next; /* no job before this one waits */
	unsigned n_ended, n_well;
	uint64_t begun, ended; /* host TSC: the first job, the last one */
	/* Of the boot processor: */
	char *shares; /* NULL: nothing is kept */
	uint64_t share_size;
	struct image *archive; /* empty until it is whole */
	unsigned n_written;    /* jobs in it */
	uint64_t size;	       /* of their parts */
	uint32_t inode;
	struct map_job job[];
};

static struct image_list *images;
static struct map *done;	      /* all jobs have ended; guarded by vms_lock */
static unsigned n_done;		      /* of those, and the one that is being finished; atomic */
static uint64_t look_at = UINT64_MAX; /* host TSC, when a job may have taken too long; atomic */
static bool has_failed;		      /* a job has not ended well; atomic */

static void note_failure(void)
{
	__atomic_store_n(&has_failed, true, __ATOMIC_RELAXED);
}

static uint64_t n_share_frames(const struct map *map)
{
	return (map->n_jobs + 1) * map->share_size / PAGE_SIZE;
}

/* Less than what would be fair is better than nothing. */
static enum status take_shares(struct map *map)
{
	uint64_t most = frame_available() / MEMORY_PART / (map->n_jobs + 1) * PAGE_SIZE;
	phys_t shares = 0;

	map->share_size = most < MAP_SHARE_MAX ? most : MAP_SHARE_MAX;
	while (shares == 0 && map->share_size >= MAP_SHARE_MIN) {
		shares = frame_alloc_run(n_share_frames(map), PAGE_SIZE);
		if (shares == 0)
			map->share_size = align_down(map->share_size / 2, PAGE_SIZE);
	}
	if (shares == 0)
		return ERR_NOMEM;
	map->shares = phys_to_virt(shares);
	return OK;
}

/* False: logged. */
static bool prepare_archive(struct map *map, const struct clone_config *line)
{
	const char *path = line->map->out;
	enum image_error error;

	if (path == NULL)
		return true;
	error = image_create(images, path, &map->archive);
	if (error != IMAGE_OK) {
		log_error("map: %s: failed to open '%s': %s", line->template, path,
			  image_error_text(error));
		return false;
	}
	if (take_shares(map) == OK)
		return true;
	image_remove(images, map->archive);
	log_error("map: %s: no memory for the results of %u jobs: %lu KiB are free, and they may "
		  "have a quarter of it, at least %lu KiB each",
		  line->template, map->n_jobs, frame_available() * PAGE_SIZE / KIB(1),
		  MAP_SHARE_MIN / KIB(1));
	return false;
}

static void copy_jobs(struct map *map, const struct image *image)
{
	const char *text = phys_to_virt(image->base), *job = text;
	struct map_jobs jobs = {.at = text, .end = text + image->size};
	char *to = (char *)&map->job[map->n_jobs];
	size_t len;

	for (unsigned i = 0; i < map->n_jobs; i++) {
		map->job[i] = (struct map_job){.text = to};
		map_results_begin(&map->job[i].results,
				  map->shares ? map->shares + i * map->share_size : NULL,
				  map->share_size);
		/* A guest may have changed the file since it was checked. */
		if (!map_next_job(&jobs, &job, &len))
			len = 0;
		memcpy(to, job, len);
		to[len] = '\0';
		to += len + 1;
	}
}

enum status map_prepare(struct clone_config *line)
{
	const struct image *image = line->map->jobs_image;
	uint64_t size =
		sizeof(struct map) + line->count * (sizeof(struct map_job) + 1) + image->size;
	uint64_t n_frames = align_up(size, PAGE_SIZE) / PAGE_SIZE;
	phys_t frames = frame_alloc_run(n_frames, PAGE_SIZE);
	struct map *map = phys_to_virt(frames);

	if (frames == 0) {
		log_error("map: %s: no memory for %u jobs", line->template, line->count);
		return ERR_NOMEM;
	}
	*map = (struct map){.line = line, .n_frames = n_frames, .n_jobs = line->count, .inode = 1};
	if (!prepare_archive(map, line)) {
		frame_free_run(frames, n_frames);
		return ERR_NOMEM;
	}
	copy_jobs(map, image);
	line->map->map = map;
	return OK;
}

void map_set_config(struct image_list *ramdisk)
{
	images = ramdisk;
	for (struct clone_config *line = clone_lines(); line; line = line->next)
		if (line->map && map_prepare(line) != OK) {
			line->count = 0;
			note_failure();
		}
}

uint32_t map_numbers_end(const struct vm *template)
{
	uint32_t end = 0;

	for (const struct clone_config *line = clone_lines(); line; line = line->next)
		if (line->map && strcmp(line->template, vm_name(template)) == 0 &&
		    line->map->first + line->count > end)
			end = line->map->first + line->count;
	return end;
}

uint32_t map_take(struct clone_config *line)
{
	struct map *map = line->map->map;

	if (map->begun == 0)
		map->begun = rdtsc();
	while (map->job[map->next].state != MAP_JOB_WAITS) {
		map->next++;
		assert(map->next < map->n_jobs);
	}
	map->job[map->next].state = MAP_JOB_RUNS;
	return line->map->first + map->next;
}

void map_put_back(struct clone_config *line, uint32_t number)
{
	struct map *map = line->map->map;
	unsigned i = number - line->map->first;

	map->job[i].state = MAP_JOB_WAITS;
	if (i < map->next)
		map->next = i;
}

static struct map_job *job_of(const struct vm *clone)
{
	const struct map_config *map = clone->made_for->map;

	return &map->map->job[clone->number - map->first];
}

/* When the job has taken too long, host TSC. */
static uint64_t due_at(const struct clone_config *line, const struct map_job *job)
{
	return job->begun + line->map->timeout_ms * (tsc_hz / 1000);
}

/* Let the boot processor look then. vms_lock is held. */
static void look_then(uint64_t due)
{
	if (due < __atomic_load_n(&look_at, __ATOMIC_RELAXED))
		__atomic_store_n(&look_at, due, __ATOMIC_RELAXED);
}

static void begin_time(const struct clone_config *line, struct map_job *job, struct vm *clone)
{
	job->begun = rdtsc();
	if (line->map->timeout_ms == 0)
		return;
	vms_acquire();
	job->clone = clone;
	look_then(due_at(line, job));
	lock_release(&vms_lock);
}

void map_begin(struct vm *clone)
{
	struct map_job *job = job_of(clone);

	clone->platform.fw_cfg.identity.job = job->text;
	clone->platform.job_port.is_there = true;
	map_begin_again(clone);
	begin_time(clone->made_for, job, clone);
}

void map_begin_again(struct vm *clone)
{
	map_results_open(&job_of(clone)->results, vm_name(clone), &clone->ept);
}

void map_write(struct vm *clone, enum job_channel channel, const char *bytes, size_t len)
{
	map_results_write(&job_of(clone)->results, channel, bytes, len);
}

void map_put(struct vm *clone)
{
	clone->platform.job_port.is_refused = !map_results_put(&job_of(clone)->results);
}

void map_drop(struct vm *clone)
{
	map_results_drop(&job_of(clone)->results);
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

void map_note_memory(struct vm *clone)
{
	if (clone->platform.job_port.is_there)
		job_of(clone)->result.end = MAP_MEMORY;
}

/* End the line's late jobs, and note when the next one is late. vms_lock is held. */
static void end_late(struct clone_config *line, uint64_t now)
{
	struct map *map = line->map->map;

	for (unsigned i = 0; i < map->n_jobs; i++) {
		struct map_job *job = &map->job[i];

		if (job->clone == NULL)
			continue;
		if (now < due_at(line, job)) {
			look_then(due_at(line, job));
			continue;
		}
		if (vm_end(job->clone, VM_FAILED, "its job has taken more than %lu ms",
			   line->map->timeout_ms))
			job->result.end = MAP_TIMEOUT;
		job->clone = NULL;
	}
}

void map_end_late(void)
{
	uint64_t now = rdtsc();

	if (now < __atomic_load_n(&look_at, __ATOMIC_RELAXED))
		return;
	vms_acquire();
	__atomic_store_n(&look_at, UINT64_MAX, __ATOMIC_RELAXED);
	for (struct clone_config *line = clone_lines(); line; line = line->next)
		if (line->map && line->map->map)
			end_late(line, now);
	lock_release(&vms_lock);
}

static bool is_well(const struct map_result *result)
{
	return result->end == MAP_EXIT && result->status == 0;
}

static void log_result(struct vm *clone, const struct map_job *job, uint64_t n_private)
{
	struct map_cost cost = {
		.ms = (rdtsc() - job->begun) / (tsc_hz / 1000),
		.private_kib = n_private * PAGE_SIZE / KIB(1),
	};
	char text[MAP_TEXT_MAX];

	map_text_line(&job->result, &cost, text);
	vm_output_pays(clone);
	log_info("map: %s", text);
}

/* No job of the line runs or will run. vms_lock is held. */
static void add_done(struct clone_config *line)
{
	struct map *map = line->map->map;

	line->map->map = NULL;
	map->ended = rdtsc();
	map->after = done;
	done = map;
	__atomic_fetch_add(&n_done, 1, __ATOMIC_RELAXED);
}

/* From now on nothing decides any more how it has ended. */
static void end_time(struct map_job *job)
{
	vms_acquire();
	job->clone = NULL;
	lock_release(&vms_lock);
}

static void count_end(struct clone_config *line, struct map_job *job)
{
	struct map *map = line->map->map;

	vms_acquire();
	job->state = MAP_JOB_HAS_ENDED;
	map->n_well += is_well(&job->result);
	if (++map->n_ended == map->n_jobs)
		add_done(line);
	lock_release(&vms_lock);
}

void map_report(struct vm *clone, uint64_t n_private)
{
	struct map_job *job = job_of(clone);
	struct map_result *result = &job->result;

	end_time(job);
	format(job->why, sizeof(job->why), "%s", clone->why);
	result->job = clone->number;
	result->name = vm_name(clone);
	result->reason = job->why;
	if (result->end == MAP_ENDS_UNSAID)
		result->end = clone->by_operator ? MAP_ENDED : MAP_CRASH;
	log_result(clone, job, n_private);
	if (!is_well(result))
		note_failure();
	count_end(clone->made_for, job);
}

/* Add the part of the next job to the archive. */
static void write_part(struct map *map)
{
	struct map_job *job = &map->job[map->n_written++];
	char *part = map->shares + map->n_jobs * map->share_size, name[CLONE_NAME_SIZE];
	uint64_t len;

	clone_name(name, map->line->template, job->result.job, 0);
	job->result.name = name;
	len = map_archive_write(&job->results, &job->result, part, &map->inode);
	memcpy(map->shares + map->size, part, len);
	map->size += len;
}

/* Give the archive what it needs of the shares, and free the rest. */
static void end_archive(struct map *map)
{
	phys_t base = virt_to_phys(map->shares);
	uint64_t n_frames;

	map->size += cpio_write_trailer(map->shares + map->size, map->size);
	n_frames = align_up(map->size, PAGE_SIZE) / PAGE_SIZE;
	frame_free_run(base + n_frames * PAGE_SIZE, n_share_frames(map) - n_frames);
	image_give(map->archive, base, map->size);
	log_info("map: %s: results in %s: %lu KiB", map->line->template, map->archive->path,
		 align_up(map->size, KIB(1)) / KIB(1));
}

static void end_map(struct map *map)
{
	if (map->archive != NULL)
		end_archive(map);
	log_info("map: %s: %u jobs: %u exit 0, %u others", map->line->template, map->n_jobs,
		 map->n_well, map->n_jobs - map->n_well);
	log_info("bench map_job %lu", (map->ended - map->begun) / map->n_jobs);
	frame_free_run(virt_to_phys(map), map->n_frames);
	__atomic_fetch_sub(&n_done, 1, __ATOMIC_RELAXED);
}

static struct map *take_done(void)
{
	struct map *map;

	vms_acquire();
	map = done;
	if (map != NULL)
		done = map->after;
	lock_release(&vms_lock);
	return map;
}

bool map_is_done(void)
{
	return __atomic_load_n(&n_done, __ATOMIC_RELAXED) > 0;
}

bool map_finish_some(void)
{
	static struct map *map;

	if (map == NULL)
		map = take_done();
	if (map == NULL)
		return false;
	if (map->archive != NULL && map->n_written < map->n_jobs) {
		write_part(map);
	} else {
		end_map(map);
		map = NULL;
	}
	return true;
}

/* No job of it was run: there is nothing to keep. */
static void drop(struct map *map)
{
	if (map->archive != NULL) {
		frame_free_run(virt_to_phys(map->shares), n_share_frames(map));
		image_remove(images, map->archive);
	}
	frame_free_run(virt_to_phys(map), map->n_frames);
}

/* The jobs that have not run end like this. */
static void end_waiting(struct map *map, const struct clone_config *line)
{
	for (unsigned i = 0; i < map->n_jobs; i++) {
		struct map_job *job = &map->job[i];

		if (job->state != MAP_JOB_WAITS)
			continue;
		job->result = (struct map_result){.job = line->map->first + i, .end = MAP_ENDED};
		if (!line->lacks_memory)
			continue;
		job->result.end = MAP_MEMORY;
		job->result.reason = "no memory for its clone";
	}
}

static void end_early(struct clone_config *line)
{
	struct map *map = line->map->map;

	log_error("map: %s: %u of %u jobs were not run", line->template, map->n_jobs - map->n_ended,
		  map->n_jobs);
	note_failure();
	if (map->n_ended == 0) {
		line->map->map = NULL;
		drop(map);
		return;
	}
	end_waiting(map, line);
	vms_acquire();
	add_done(line);
	lock_release(&vms_lock);
}

bool map_all_are_well(void)
{
	for (struct clone_config *line = clone_lines(); line; line = line->next)
		if (line->map && line->map->map)
			end_early(line);
	while (map_finish_some())
		;
	return !has_failed;
}
