/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/status_page.h"

/*
 * What the status page shows of the machine: a part of the tree of templates and clones, and which
 * of its rows is selected. All of this belongs to the boot processor.
 */

/* Keys, as far as they move through the tree. */
enum status_move {
	STATUS_UP,
	STATUS_DOWN,
	STATUS_PAGE_UP,
	STATUS_PAGE_DOWN,
	STATUS_HOME,
	STATUS_END
};

/* Select another row; n_rows of the tree are on the screen. */
void status_move(struct status_view *status, enum status_move move, unsigned n_rows);

/* Show the selected VM alone, or the tree again, from the next look on. */
void status_open(bool on);
bool status_is_open(void);

/*
 * Read what has changed, in steps: begin, then do steps until one returns true. One VM at most is
 * read in a step, with vms_lock, and nothing is held between two. 'status' changes in the last one.
 * The selected VM stays selected when others come and go; when it ends, the row that takes its
 * place is selected. Rates are those since the last look began.
 */
void status_look_begin(void);
bool status_look_step(struct status_view *status, unsigned n_rows);
