/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdarg.h>

#include "boot/boot_info.h"
#include "hv/lib/types.h"

#define CONSOLE_COM1 0x3f8

/*
 * The serial line (16550, 115200 8N1) and the frame buffer, if there is one.
 * Everything is written under one lock, a line at a time, so that lines of
 * several processors do not mix. The lock is a leaf.
 */

/* Use COM1 and info's frame buffer. Works on the firmware's page tables and on ours. */
void console_init(const struct boot_info *info);

/* The base port of the UART to use from now on; 0: none. A port at which nothing answers counts as
 * none. */
void console_set_serial(uint16_t port);

/*
 * False, as at the start: output has left when a function returns. True: it is kept in a
 * buffer, and console_poll() must be called every now and then.
 */
void console_set_buffered(bool on);

/*
 * Send what the UART takes without waiting and bring the screen up to date if the last time is
 * long ago. True while something waits to be sent: do not sleep for long.
 */
bool console_poll(void);

/* Wait until everything has been sent and drawn. */
void console_flush(void);

/* One line in the form of log_line(), whatever the level is. */
void console_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Bytes as they are, a guest's output for instance: whole lines, newline included. */
void console_write_raw(const char *data, size_t len);

/*
 * Part of a line: the operator's, as it is typed. A whole line that comes then ends it first;
 * console_line_is_open() tells whether that has happened.
 */
void console_write_part(const char *data, size_t len);
bool console_line_is_open(void);

/* Bytes that have not been sent yet; while 'buffered' a writer of much waits for that to be few. */
size_t console_waiting(void);

/* The next byte received by the UART, or -1. */
int console_read(void);

/* The other processors are stopped for good, one perhaps in the middle of a line: do without the
 * lock. */
void console_break_lock(void);
