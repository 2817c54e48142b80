/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The operator's prompt on the host's console. Only the boot processor calls these functions,
 * except where any processor may. They take vms_lock.
 */

/* Switch the console to the prompt, or back to the guests. */
void monitor_switch(void);
/* Whether the console is at the prompt. Any processor. */
bool monitor_is_on(void);
/* Whether the machine stays on without running VMs: for the operator, or until a job is done. */
bool monitor_holds_machine(void);
/* Whether monitor_poll() needs to be called every millisecond. */
bool monitor_is_waiting(void);

/* End all VMs and the machine, as the command 'quit' does. */
void monitor_quit(void);

/*
 * Whether monitor_type() takes another byte. True while a command runs that Ctrl-C ends, so that
 * Ctrl-C is read: then lines without room are lost, and counted.
 */
bool monitor_has_room(void);
/* Take a typed byte, while the prompt is on. */
void monitor_type(uint8_t byte);
/* Do a piece of the current job; show the prompt if it is due. */
void monitor_poll(void);
