/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/map_job.h"

#include "hv/config/map_line.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"
#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/vm/hold.h"
#include "hv/vm/map.h"
#include "hv/vm/template.h"

static struct image_list *images;

/* The map that begins. */
static struct vm *template; /* held */
static struct clone_config *line;

void map_job_setup(struct image_list *ramdisk)
{
	images = ramdisk;
}

static enum job_state finish(void)
{
	return map_finish_some() ? JOB_GOES_ON : JOB_IS_DONE;
}

void map_job_begin_due(void)
{
	static const struct job job = {.step = finish, .is_configured = true};

	if (map_is_done())
		job_begin(&job);
}

/* False: said. */
static bool read_parameters(struct clone_config *ret, const char *const *parameters, size_t n)
{
	const char *value;

	for (size_t i = 0; i < n; i++) {
		const struct map_parameter *parameter = map_find_parameter(parameters[i], &value);

		if (parameter == NULL) {
			say("map: invalid parameter '%s', try: " MAP_PARAMETERS, parameters[i]);
			return false;
		}
		if (!parameter->set(ret, value)) {
			say("map: parameter '%s' expects %s", parameter->name, parameter->expects);
			return false;
		}
	}
	if (ret->map->jobs == NULL)
		say("map: parameter 'jobs' is missing");
	return ret->map->jobs != NULL;
}

static const char *keep_text(const char *text)
{
	return text != NULL ? arena_strndup(images->arena, text, strlen(text)) : NULL;
}

/* A copy that lasts; NULL: said. */
static struct clone_config *keep(const struct clone_config *from)
{
	struct clone_config *to = arena_alloc(images->arena, sizeof(*to));
	struct map_config *map = arena_alloc(images->arena, sizeof(*map));
	const char *jobs = keep_text(from->map->jobs), *out = keep_text(from->map->out);
	const char *name = keep_text(from->template);

	if (to == NULL || map == NULL || jobs == NULL || name == NULL ||
	    (from->map->out != NULL && out == NULL)) {
		say("Error: map: no memory");
		return NULL;
	}
	*to = *from;
	*map = *from->map;
	to->map = map;
	to->template = name;
	map->jobs = jobs;
	map->out = out;
	return to;
}

/* False: said. */
static bool open_jobs(void)
{
	struct map_config *map = line->map;
	struct image *image = NULL;
	enum image_error error = image_lookup(images->first, map->jobs, &image);
	const char *why;
	unsigned in_line;

	if (error == IMAGE_OK && (image == NULL || image->type != IMAGE_FILE))
		error = IMAGE_IS_DIRECTORY;
	if (error != IMAGE_OK) {
		say("Error: map: could not open '%s': %s", map->jobs, image_error_text(error));
		return false;
	}
	why = map_check_jobs(phys_to_virt(image->base), image->size, &line->count, &in_line);
	if (why != NULL && in_line > 0)
		say("Error: map: '%s', line %u: %s", map->jobs, in_line, why);
	else if (why != NULL)
		say("Error: map: '%s': %s", map->jobs, why);
	map->jobs_image = image;
	return why == NULL;
}

static bool check_out(void)
{
	const char *path = line->map->out;
	struct image *image;

	if (path == NULL || image_lookup(images->first, path, &image) != IMAGE_OK)
		return true;
	say("Error: map: failed to open '%s': File exists", path);
	return false;
}

static bool take_numbers(void)
{
	uint32_t first = line->map->first;

	if ((uint64_t)first + line->count > UINT32_MAX) {
		say("Error: map: the last job's number is above 2^32 - 2");
		return false;
	}
	if (template_keep_numbers(template, first, line->count))
		return true;
	say("Error: map: clones of %s have such numbers: write first=%u", vm_name(template),
	    template->next_number);
	return false;
}

static enum job_state start(void)
{
	if (!open_jobs() || !check_out() || !take_numbers())
		return JOB_IS_DONE;
	if (map_prepare(line) == OK)
		template_start_line(template, line);
	else
		say("Error: map: there is no memory");
	return JOB_IS_DONE;
}

static void let_go(void)
{
	vms_acquire();
	template_put(template);
	lock_release(&vms_lock);
}

void map_job_start(struct vm *of, const char *const *parameters, size_t n)
{
	static const struct job job = {.step = start, .end = let_go};
	struct map_config map = {0};
	struct clone_config wanted = {.template = vm_name(of), .parallel = UINT32_MAX, .map = &map};

	if (strlen(vm_name(of)) > MAP_TEMPLATE_MAX) {
		say("Error: map: the name '%s' is longer than %u characters", vm_name(of),
		    (unsigned)MAP_TEMPLATE_MAX);
		return;
	}
	if (!read_parameters(&wanted, parameters, n))
		return;
	line = keep(&wanted);
	if (line == NULL)
		return;
	template = of;
	template_hold(template);
	job_begin(&job);
}
