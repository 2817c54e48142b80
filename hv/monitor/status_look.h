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
 * Read what has changed. The selected VM stays selected when others come and go; when it ends, the
 * row that takes its place is selected. Rates are those since the last call. Takes vms_lock.
 */
void status_look(struct status_view *status, unsigned n_rows);
