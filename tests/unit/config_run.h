/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <string.h>

#include "hv/config/read.h"
#include "hv/frame/frame.h"
#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

/*
 * Parse and open configurations on a machine of 64 GiB with the files of ramdisk_files.h. Include
 * this after support.h; config_run_setup() is the group's setup.
 */
static char memory[1 << 18] __attribute__((aligned(16)));
static struct arena arena;
static struct image_list images;
static struct config config;

#define MACHINE_MEMORY GIB(64)

/* A machine with nothing in use and the files of ramdisk_files.h. */
static inline void start_machine(void)
{
	frame_reset();
	frame_add_range(MACHINE_FRAMES_START, MACHINE_MEMORY);
	arena = (struct arena){.base = memory, .size = sizeof(memory)};
	images = (struct image_list){.first = ramdisk_list(), .arena = &arena};
}

static inline bool run_again(const char *text)
{
	struct diag diag = {.file = "t"};
	enum status parsed, opened;

	log_reset();
	parsed = config_parse(text, strlen(text), &arena, &diag, &config);
	assert_int_not_equal(parsed, ERR_NOMEM);
	opened = config_open(&config, &images, &diag);
	assert_int_equal(parsed == OK && opened == OK, diag.n_errors == 0);
	return diag.n_errors == 0;
}

/* Parse and open the text. True: it is accepted. */
static inline bool run(const char *text)
{
	start_machine();
	return run_again(text);
}

static inline uint64_t n_images(void)
{
	uint64_t n = 0;

	for (const struct image *image = images.first; image != NULL; image = image->next)
		n++;
	return n;
}

/* All messages without level, place and advice, joined as in the tables. Places must be in [from,
 * to]. */
static inline const char *reported(unsigned from, unsigned to)
{
	static char result[16384];
	const char *line = logged, *end;
	char *out = result;
	unsigned column;
	int skip;

	*out = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		line += strncmp(line, "error: ", 7) == 0 ? 7 : 9;
		if (strncmp(line, "      = ", 8) == 0)
			continue;
		skip = 0;
		if (sscanf(line, "t:1:%u: %n", &column, &skip) == 1)
			assert_in_range(column, from, to);
		line += skip;
		out += sprintf(out, "%s%.*s", out == result ? "" : " | ", (int)(end - line), line);
	}
	return result;
}

static inline int config_run_setup(void **state)
{
	machine_frames_add(MACHINE_MEMORY);
	return 0;
}
