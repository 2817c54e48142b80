/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/*
 * What the monitor cannot do at once, one thing at a time: it waits for a VM to stop, or for the
 * serial line. The boot processor's. vms_lock is held by callers that name a VM, which is one that
 * runs or a template that can be cloned; it is stopped, and goes on afterwards if it ran.
 */

/* Where files are made and found; once. */
void monitor_job_setup(struct image_list *images);
/* Say its registers. */
void monitor_job_registers(struct vm *vm);
/* Write a core file into the ramdisk at 'path', or, 'is_sent', send it under that name. */
void monitor_job_dump(struct vm *vm, const char *path, bool is_sent);
/*
 * Write the state of a template, or of a VM that the operator has stopped, to PATH.state, and
 * memory that no file holds to PATH.mem; likewise. 'path' is not longer than SAVE_PATH_MAX.
 */
void monitor_job_save(struct vm *vm, const char *path, bool is_sent);
/* Send a file of the ramdisk, or print why that cannot be. */
void monitor_job_send(const char *path);

/* Do some of it; false: there is nothing to do. No lock is held. */
bool monitor_job_work(void);
