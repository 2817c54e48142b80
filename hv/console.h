/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/types.h"

#define CONSOLE_COM1 0x3f8

/*
 * The serial line (16550, 115200 8N1) and the frame buffer, if there is one.
 * Everything is written under one lock, a line at a time, so that lines of
 * several processors do not mix. The lock is a leaf.
 */

/* Use COM1 and info's frame buffer. Works on the firmware's page tables and on ours. */
void console_init(const struct boot_info *info);

/* The base port of the UART to use from now on; 0: none. A port nothing answers at counts as none.
 */
void console_set_serial(uint16_t port);

/* Bytes as they are, a guest's output for instance: whole lines, newline included. */
void console_write_raw(const char *data, size_t len);

/* The next byte received by the UART, or -1. */
int console_read(void);

/* For hv/panic.c: from now on nobody waits for the lock. */
void console_break_lock(void);
