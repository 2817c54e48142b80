/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The operator's prompt on the host's console. All of it belongs to the boot processor, and
 * takes vms_lock itself.
 */

/* Give the console to the prompt, or back. */
void monitor_switch(void);
/* Whether the prompt has the console. Any processor. */
bool monitor_is_on(void);
/* Whether the machine goes on for the operator's sake, or to save templates, although no VM runs.
 */
bool monitor_holds_machine(void);
/* Whether monitor_poll() wants to be called every millisecond. Any processor. */
bool monitor_is_waiting(void);

/* A typed byte, while the prompt is on. */
void monitor_type(uint8_t byte);
/* Do some of what has been asked for; show the prompt if it is due. */
void monitor_poll(void);
