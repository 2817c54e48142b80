/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/*
 * Jobs (hv/monitor/job.h) that write files into the ramdisk, or send them over the console. A
 * caller that names a VM holds vms_lock; the VM is a running one, which the job stops and resumes
 * afterwards, or a template that can be cloned. Of a file that is interrupted nothing stays in the
 * ramdisk.
 */

/* Set the ramdisk. To be called once. */
void file_job_setup(struct image_list *images);
/* Write a core file to 'path' in the ramdisk or, if 'is_sent', send it under that name. */
void file_job_dump(struct vm *vm, const char *path, bool is_sent);
/*
 * Write or send the state of a template, or of a VM that the operator has stopped, as PATH.state,
 * and the memory that no file holds as PATH.mem, or in parts: PATH.mem.0 and so on. 'path' is not
 * longer than SAVE_PATH_MAX.
 */
void file_job_save(struct vm *vm, const char *path, struct save_how how);
/* Send a file of the ramdisk, or print an error. */
void file_job_send(const char *path);

/* No job is running: begin the next save that the configuration asks for, if one is due. */
void file_job_begin_due(void);
