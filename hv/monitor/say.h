/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Print a line on the console, with a newline; it is cut after 1023 bytes. It does not wait:
 * commands and jobs begin to say something only while job_has_room().
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
