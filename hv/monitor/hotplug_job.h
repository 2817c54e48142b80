/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/*
 * Memory for a running VM, and less of it, by QEMU's commands. Each says "Error: ..." in QEMU's
 * words, or nothing. All are jobs, except device_del; none runs yet, and vms_lock is held. 'text'
 * is the argument: "key=value,...", or a JSON object, of which the member "vm" is ignored.
 */
void hotplug_job_setup(struct image_list *images);
void hotplug_job_object_add(struct vm *vm, const char *text, size_t len);
void hotplug_job_object_del(struct vm *vm, const char *id);
void hotplug_job_device_add(struct vm *vm, const char *text, size_t len);
/* Ask the guest: the DIMM goes when the guest gives it up. */
void hotplug_device_del(struct vm *vm, const char *id);

/* Begin to take out a DIMM that a guest has given up, or clean up after a VM. There is no job. */
void hotplug_job_begin_due(void);
