/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/* The file 'path', readable by its owner; else why not, in strerror()'s words, and '*ret' stays. */
const char *vm_find_file(struct image_list *images, const char *path, struct image **ret);

/*
 * Of config_open(), once all backends of all VMs are open: find the files of -kernel and -initrd.
 * ERR_INVAL: said.
 */
enum status vm_open_kernel(struct vm_config *vm, struct image_list *images, struct diag *diag);
