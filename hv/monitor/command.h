/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The monitor's commands, with QEMU's names and answers where QEMU has them. All of this belongs to
 * the boot processor and takes vms_lock.
 */

/* Carry out a line, which is changed. Answers, help and refusals go to the console. */
void command_run(char *line);

/* Act as if 'quit' were entered. */
void command_quit(void);
/* Whether 'quit' was entered: the machine ends with its last VM. */
bool command_has_quit(void);
/*
 * End all running VMs. A VM that freezes concurrently starts clones: call this until no VM is left.
 */
void command_end_vms(void);
