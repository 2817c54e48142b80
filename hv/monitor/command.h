/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The monitor's commands, with QEMU's names and answers where QEMU has them. All of this belongs to
 * the boot processor and takes vms_lock.
 */

/* Do what the line, which is changed, asks for. Answers, help and refusals go to the console. */
void command_run(char *line);

/* Whether 'quit' was given: the machine ends with its last VM. */
bool command_has_quit(void);
/* End all VMs that run. A VM that freezes meanwhile starts clones: to be called until none is left.
 */
void command_end_vms(void);
