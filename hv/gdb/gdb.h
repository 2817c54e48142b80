/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/serial.h"
#include "hv/lib/status.h"

/*
 * gdb over a serial port. All of this belongs to the boot processor; no lock is held over the line.
 */

/* QMP's port, which lasts: none for gdb. */
void gdb_forbid(const struct serial_port *port);
/* Why gdb cannot have this port, what comes after its name in an error; NULL: it can. */
const char *gdb_refuses(const struct serial_port *port);
/*
 * Wait for a gdb at this port, which gdb_refuses() does not refuse; once more does nothing.
 * ERR_NOMEM: nothing has changed.
 */
enum status gdb_begin(const struct serial_port *port);
/* Its port; NULL: none. */
const struct serial_port *gdb_port(void);
/*
 * Let the gdb that connects next find this VM. ERR_NOMEM: it finds as many as possible already.
 * vms_lock is held.
 */
enum status gdb_offer(uint32_t vm_index);

/* Whether gdb_poll() needs to be called every millisecond: see hv/host/link.h. */
bool gdb_is_on(void);
/* Send and receive, and do a piece of what gdb asks for. */
void gdb_poll(void);
/* After the last VM: tell gdb that they have ended, and send the rest. */
void gdb_end(void);
