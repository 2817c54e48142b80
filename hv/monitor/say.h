/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Print a line on the console, with a newline; it is cut after 1023 bytes. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same as an info_emit; 'context' is not used. */
void say_line(void *context, const char *line);
