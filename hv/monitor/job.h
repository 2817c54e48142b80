/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/*
 * The monitor's long jobs, one at a time: a job waits for a VM to stop, or for the serial line. All
 * of this runs on the boot processor. A caller that names a VM holds vms_lock; the VM is a running
 * one or a template that can be cloned. A job stops a running VM and resumes it afterwards.
 */

/* Set the ramdisk. To be called once. */
void monitor_job_setup(struct image_list *images);
/* Print a VM's registers. */
void monitor_job_registers(struct vm *vm);
/* Write a core file to 'path' in the ramdisk or, if 'is_sent', send it under that name. */
void monitor_job_dump(struct vm *vm, const char *path, bool is_sent);
/*
 * Write or send the state of a template, or of a VM that the operator has stopped, as PATH.state,
 * and the memory that no file holds as PATH.mem. 'path' is not longer than SAVE_PATH_MAX.
 */
void monitor_job_save(struct vm *vm, const char *path, bool is_sent);
/* Send a file of the ramdisk, or print an error. */
void monitor_job_send(const char *path);

/* Do a piece of the current job, or begin the next one. False: there is none. No lock is held. */
bool monitor_job_work(void);
