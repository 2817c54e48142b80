/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Stencil's own lines on the console; hv/lib/print.h has log_line(). */

/*
 * A step of start-up is one line of level LOG_INFO, "stencil: NAME: RESULT". The first function
 * prints its beginning at once, so that the last line shown by a machine that hangs names the step
 * it hangs in. If other lines come in between, the second one repeats the beginning. One step at
 * a time, on the boot processor.
 */
void console_begin_step(const char *name);
void console_end_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print one line in the form of log_line(), at any log level. */
void console_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
