/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Find the file 'path', which its owner must be allowed to read. NULL: found; else the reason in
 * strerror()'s words, and '*ret' does not change.
 */
const char *vm_find_file(struct image_list *images, const char *path, struct image **ret);

/*
 * Of config_open(), after all backends of all VMs are open: find the files of -kernel and -initrd.
 * ERR_INVAL: reported.
 */
enum status vm_open_kernel(struct vm_config *vm, struct image_list *images, struct diag *diag);
/* The same, for the kernel that firmware starts. */
enum status vm_open_firmware_kernel(struct vm_config *vm, struct image_list *images,
				    struct diag *diag);
