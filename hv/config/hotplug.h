/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * What is added to the configuration of a running VM: the arguments of QEMU's object_add and
 * device_add, in its words. 'arena' has room for what is added and lives as long as it does.
 * ERR_INVAL: reported; ERR_NOMEM: the arena is full, not reported. After an error nothing was
 * added.
 */

/*
 * Read a memory backend, check it, and open its image, of which bytes may wait in images->later.
 * The backend is not in the VM's list yet.
 */
enum status hotplug_read_object(const struct vm_config *vm, const struct word *argument,
				struct image_list *images, struct diag *diag, struct backend **ret);

/* Read a DIMM, give it its place, and put it at the end of the VM's list. */
enum status hotplug_read_device(struct vm_config *vm, const struct word *argument,
				unsigned phys_bits, struct arena *arena, struct diag *diag);

/* The one that was read last, at the end of the list. */
struct dimm_config *hotplug_last_dimm(const struct vm_config *vm);
/* The DIMM of that id; NULL: there is none. */
struct dimm_config *hotplug_find_dimm(const struct vm_config *vm, const char *id);
/* Take a DIMM out of the VM's list, and let its backend go. */
void hotplug_drop_dimm(struct vm_config *vm, struct dimm_config *dimm);

/* The backend of that id; NULL: there is none. */
struct backend *hotplug_find_object(const struct vm_config *vm, const char *id);
void hotplug_add_object(struct vm_config *vm, struct backend *backend);
void hotplug_drop_object(struct vm_config *vm, const struct backend *backend);
