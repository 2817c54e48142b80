/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The monitor's answers on the console: one line, without its end. More than 1023 bytes are cut. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same for what answers to an info_emit; 'context' is not used. */
void say_line(void *context, const char *line);
