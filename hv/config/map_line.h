/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/* Parameters and jobs of a "map", for the configuration and for the operator. */

#define MAP_PARAMETERS "jobs=PATH out=PATH first=N parallel=N timeout=TIME max-private=SIZE"
#define MAP_JOB_MAX    4095 /* bytes */
/* Bytes of a template's name: with any number it is a clone's, see hv/devices/clone_name.h. */
#define MAP_TEMPLATE_MAX 52

struct map_parameter {
	const char *name;
	const char *expects; /* what the value is, for "Parameter 'NAME' expects ..." */
	/* Returns whether it is. The line has a struct map_config. The text must last. */
	bool (*set)(struct clone_config *line, const char *value);
};

/* The parameter of "NAME=VALUE", and its value; NULL: there is none of that name, or no value. */
const struct map_parameter *map_find_parameter(const char *word, const char **ret_value);

/* Job after job of a file: each line that is not empty. Begins with the file's bytes. */
struct map_jobs {
	const char *at, *end;
	unsigned line; /* number of the job's, from 1 */
};

/* The next job, without its newline; false: there is none. */
bool map_next_job(struct map_jobs *jobs, const char **ret, size_t *ret_len);

/*
 * Whether all jobs can be given to guests; '*ret_n' is how many there are. Otherwise an error, with
 * the number of the line; 0: of the file.
 */
const char *map_check_jobs(const char *text, size_t len, unsigned *ret_n, unsigned *ret_line);
