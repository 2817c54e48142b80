/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/serial.h"
#include "hv/lib/status.h"

/*
 * QEMU's machine protocol over a serial port, for one client. All of this belongs to the boot
 * processor; no lock is held.
 */

/* Greet the client on this port, and listen to news. Once, before the first VM starts. */
enum status qmp_begin(const struct serial_port *port);

/* Whether qmp_poll() needs to be called every millisecond: see hv/host/link.h. */
bool qmp_is_on(void);
/* Whether the machine stays on without VMs: a client has begun, and has not said 'quit'. */
bool qmp_holds_machine(void);

/* Send and receive, and do a piece of what the client asks for. */
void qmp_poll(void);

/* After the last VM: send the rest. */
void qmp_end(void);
