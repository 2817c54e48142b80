/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/* Maps (hv/vm/map.h) as jobs of the monitor. */

/* Set the ramdisk. To be called once. */
void map_job_setup(struct image_list *images);
/*
 * Begin a map of the template with n parameters, or say an error. vms_lock is held. The job ends
 * when the clones have started.
 */
void map_job_start(struct vm *template, const char *const *parameters, size_t n);

/* No job is running: begin the one that finishes a map, if all its jobs have ended. */
void map_job_begin_due(void);
