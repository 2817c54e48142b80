/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/host/screen.h"
#include "hv/host/serial.h"
#include "hv/lib/types.h"

/*
 * The serial line, the screens, and the keyboard.
 * Output is written under one lock, a line at a time, so that lines of several processors do not
 * mix. The lock is a leaf.
 */

/*
 * Use COM1, if it is there, at the speed that the firmware has set, and info's frame buffers. Works
 * on the firmware's page tables and on ours.
 */
void console_init(const struct boot_info *info);

/*
 * Use this port from now on: one that is present, or none. Another port than before first gets the
 * last OUTPUT_RING_SIZE bytes of output.
 */
void console_set_serial(const struct serial_port *port);

/*
 * Divide the clock of the console's port by this from now on. False: there is no port, or its clock
 * is not known.
 */
bool console_set_divisor(uint16_t divisor);

/* Whether the console has this port. */
bool console_has_port(const struct serial_port *port);

/*
 * False, the initial state: output has been sent when a function returns. True: output is
 * buffered, and console_poll() must be called regularly. A line for which the buffer has no room is
 * then lost and counted: who must not lose it calls console_wait_for_room() before.
 */
void console_set_buffered(bool on);

/*
 * Send what the UART takes without waiting, and draw the screen if it was not drawn recently,
 * unless another processor uses the console. True while output waits to be sent: the caller must
 * not sleep for long. Any processor.
 */
bool console_poll(void);

/*
 * Let the screen show a page instead of the text, while output is buffered: a panic and the
 * machine's end show the text again. False: there is no screen.
 */
bool console_show_page(bool on);
/* The size of text and page; constant. */
void console_get_size(unsigned *ret_columns, unsigned *ret_rows);
/* The row of the text that is so far back from the newest line: 0 is that one. */
void console_copy_row(unsigned back, struct screen_row *ret);
/*
 * Paint what differs in a row of the page, without a lock. False: another processor uses the
 * screen, or no page is shown; try again later.
 */
bool console_paint_page(unsigned row, const struct screen_row *now);

/* Wait until everything has been sent and drawn. */
void console_flush(void);

/* Ticks of the TSC that writers have spent sending and drawing while output was not buffered. */
uint64_t console_waited_tsc(void);

/* Write a whole line, with its newline, unchanged. */
void console_write_line(enum screen_color color, const char *data, size_t len);
/* The same in the usual color, or several lines. */
void console_write_raw(const char *data, size_t len);

/*
 * Write a guest's line, unless another processor uses the console, or much waits to be sent: then
 * false, and nothing was written. Guests never fill the buffer, in which Stencil's lines and the
 * monitor's answers find room.
 */
bool console_offer(const char *data, size_t len);

/* The same with bytes that need not be whole lines. Later output of a whole line ends theirs first.
 */
bool console_offer_part(const char *data, size_t len);

/*
 * Write a part of a line: the operator's, while it is typed. Later output of a whole line ends it
 * first; console_line_is_open() is then false.
 */
void console_write_part(const char *data, size_t len);
bool console_line_is_open(void);

/* Bytes that wait to be sent. A buffered writer of much output waits until they are few. */
size_t console_waiting(void);

/* Lines that were lost because the buffer was full, as far as a line has said so. */
uint64_t console_n_lost(void);

/*
 * For the log and the monitor's answers, of which no line may be lost: wait without the lock until
 * half of the buffer is free, which guests never fill, or for two seconds if the port takes
 * nothing.
 */
void console_wait_for_room(void);

/*
 * The next byte received by the UART; or typed on the keyboard, with CONSOLE_KEYBOARD added (see
 * hv/host/scan_code.h); or -1.
 */
#define CONSOLE_KEYBOARD 0x100
int console_read(void);

/* Ignore the lock from now on: all other processors are stopped, perhaps one of them holding it. */
void console_break_lock(void);
