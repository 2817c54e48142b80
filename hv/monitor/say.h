/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Who hears what commands and jobs say. */
struct listener {
	/* Whole lines, with their newlines. */
	void (*hear)(const char *text, size_t len);
	/* Whether hear() takes JOB_SAY_MAX bytes. */
	bool (*has_room)(void);
};

/*
 * Let say() go to this listener from now on; NULL, as at first: the console. Returns the one
 * before.
 */
const struct listener *say_to(const struct listener *listener);
const struct listener *say_listener(void);
/* Whether the listener has room; the console's is left to job_has_room(). */
bool say_has_room(void);

/*
 * Say a line, without its newline; it is cut after 1023 bytes. It does not wait: commands and jobs
 * begin to say something only while job_has_room().
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Say whole lines, with their newlines. */
void say_lines(const char *text, size_t len);
