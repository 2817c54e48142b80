/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines "map" of the configuration. */
#include "hv/config/map_read.h"

#include "hv/backends/suggest.h"
#include "hv/config/map_line.h"
#include "hv/config/template_lines.h"
#include "hv/config/vm_files.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"

static void refuse_parameter(const struct word *word, struct diag *diag)
{
	const char *value = strchr(word->text, '=');
	struct suggestion near =
		suggest(word->text, value != NULL ? (size_t)(value - word->text) : word->len);

	diag_error(diag, word_place(word, 0), "map: Invalid parameter '%s'", word->text);
	suggest_list(&near, "jobs out first parallel timeout max-private");
	if (near.distance > 0) /* 0: it lacks a value */
		suggest_tell(&near, "", diag);
	diag_advice(diag, "parameters: " MAP_PARAMETERS);
}

static enum status read_parameter(const struct word *word, struct clone_config *line,
				  struct diag *diag)
{
	const char *value;
	const struct map_parameter *parameter = map_find_parameter(word->text, &value);
	struct diag_place place;

	if (parameter == NULL) {
		refuse_parameter(word, diag);
		return ERR_INVAL;
	}
	place = word_place(word, (size_t)(value - word->text));
	if (!parameter->set(line, value)) {
		diag_error(diag, place, "Parameter '%s' expects %s", parameter->name,
			   parameter->expects);
		return ERR_INVAL;
	}
	if (line->map->jobs == value)
		line->map->jobs_place = place;
	if (line->map->out == value)
		line->map->out_place = place;
	return OK;
}

static enum status read_parameters(const struct word *name, struct clone_config *line,
				   struct diag *diag)
{
	enum status status = OK;

	for (const struct word *word = name->next; word != NULL; word = word->next)
		if (read_parameter(word, line, diag) != OK)
			status = ERR_INVAL;
	if (status == OK && line->map->jobs == NULL) {
		diag_error(diag, word_place(name, 0), "Parameter 'jobs' is missing");
		return ERR_INVAL;
	}
	return status;
}

enum status map_read(struct config *config, const struct word *keyword, struct arena *arena,
		     struct diag *diag)
{
	struct clone_config line = {.parallel = UINT32_MAX};
	const struct word *name = keyword->next;

	if (name == NULL) {
		diag_error(diag, word_place(keyword, 0), "'map' needs the name of a template");
		return OK;
	}
	line.map = arena_alloc(arena, sizeof(*line.map));
	if (line.map == NULL)
		return ERR_NOMEM;
	line.template = name->text;
	line.place = word_place(name, 0);
	return read_parameters(name, &line, diag) == OK ? clone_add(config, &line, arena) : OK;
}

/* False: reported. */
static bool open_jobs(struct clone_config *line, struct image_list *images, struct diag *diag)
{
	struct map_config *map = line->map;
	struct image *image = NULL;
	const char *error = vm_find_file(images, map->jobs, &image);
	unsigned in_line = 0;

	if (error != NULL) {
		diag_error(diag, map->jobs_place, "could not open '%s': %s", map->jobs, error);
		return false;
	}
	error = map_check_jobs(phys_to_virt(image->base), image->size, &line->count, &in_line);
	if (error != NULL && in_line > 0)
		diag_error(diag, map->jobs_place, "'%s', line %u: %s", map->jobs, in_line, error);
	else if (error != NULL)
		diag_error(diag, map->jobs_place, "'%s': %s", map->jobs, error);
	map->jobs_image = image;
	return error == NULL;
}

static bool overlap(const struct clone_config *a, const struct clone_config *b)
{
	return b->map != NULL && strcmp(a->template, b->template) == 0 &&
	       a->map->first < (uint64_t)b->map->first + b->count &&
	       b->map->first < (uint64_t)a->map->first + a->count;
}

static void check_numbers(const struct config *config, const struct clone_config *line,
			  struct diag *diag)
{
	const struct clone_config *other = config->clones;

	if ((uint64_t)line->map->first + line->count > UINT32_MAX)
		diag_error(diag, line->place, "map: the last job's number is above 2^32 - 2");
	while (other != line && !overlap(line, other))
		other = other->next;
	if (other != line)
		diag_error(diag, line->place,
			   "map: jobs %u to %u of '%s' are those of the map in line %u: write "
			   "first=%lu",
			   line->map->first, line->map->first + line->count - 1, line->template,
			   other->place.line, (uint64_t)other->map->first + other->count);
}

/* A second archive, or a file that is saved, cannot have the same path. */
static void check_out(const struct config *config, const struct clone_config *line,
		      struct image_list *images, struct diag *diag)
{
	const struct map_config *map = line->map;

	file_check_new(map->out, map->out_place, "map", images, diag);
	for (const struct clone_config *other = config->clones; other != line; other = other->next)
		if (other->map != NULL && other->map->out != NULL &&
		    strcmp(other->map->out, map->out) == 0)
			diag_error(diag, map->out_place,
				   "map: '%s' is the archive of the map in line %u", map->out,
				   other->place.line);
}

/* Its clones' names must tell them apart. */
static void check_name(const struct clone_config *line, struct diag *diag)
{
	if (strlen(line->template) > MAP_TEMPLATE_MAX)
		diag_error(diag, line->place, "map: the name '%s' is longer than %u characters",
			   line->template, (unsigned)MAP_TEMPLATE_MAX);
}

void map_open(const struct config *config, struct image_list *images, struct diag *diag)
{
	for (struct clone_config *line = config->clones; line != NULL; line = line->next) {
		if (line->map == NULL)
			continue;
		if (open_jobs(line, images, diag))
			check_numbers(config, line, diag);
		if (line->map->out != NULL)
			check_out(config, line, images, diag);
		check_name(line, diag);
	}
}
