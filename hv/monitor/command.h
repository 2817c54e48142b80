/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"
#include "hv/monitor/complete.h"

struct vm;

/*
 * The monitor's commands, with QEMU's names and answers where QEMU has them. All of this belongs to
 * the boot processor and takes vms_lock.
 */

/*
 * Carry out a line, shorter than MONITOR_LINE_SIZE. Answers, help and refusals go to the console.
 */
void command_run(const char *line);

/* What commands do to a VM that runs, or to a template that can be cloned. vms_lock is held. */
void command_reset_vm(struct vm *vm);
void command_destroy_vm(struct vm *vm);

/*
 * Complete the last word of the first 'len' bytes of a line, less than MONITOR_LINE_SIZE: a
 * command, a topic of 'info', or the name of a VM that the command may be about.
 */
void command_complete(const char *line, size_t len, struct completion *ret);

/* Act as if 'quit' were entered. */
void command_quit(void);
/* Whether 'quit' was entered: the machine ends with its last VM. */
bool command_has_quit(void);
/*
 * End all running VMs. A VM that freezes concurrently starts clones: call this until no VM is left.
 */
void command_end_vms(void);
