/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The status page on the machine's screen, instead of the console's text. All of this belongs to
 * the boot processor, and nothing here is done while the page is not shown.
 */

/* Show the page, or the text; with is_line the serial line's keys go to the page, too. False: there
 * is no screen. */
bool status_show(bool on, bool is_line);
/* Whether the page takes keys of the serial line, or of the machine's keyboard. */
bool status_takes(bool is_line);
/* Show the text if the page takes these keys, else the page, which takes them from then on. */
void status_switch(bool is_line);
void status_type(uint8_t byte);

/*
 * Look at the machine twice a second and after each key, for 100 us at a time, and paint one row of
 * the screen: that takes a quarter of a millisecond at most.
 */
void status_poll(void);
/* Whether rows wait to be painted, or VMs to be read. */
bool status_is_waiting(void);
