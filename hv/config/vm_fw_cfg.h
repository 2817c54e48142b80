/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Of config_open(), after all backends of all VMs are open: find the files of -fw_cfg. ERR_INVAL:
 * reported.
 */
enum status vm_open_fw_cfg(struct vm_config *vm, struct image_list *images, struct diag *diag);

/* The file of that name; NULL: there is none. */
struct fw_cfg_config *vm_find_fw_cfg(const struct vm_config *vm, const char *name);
/* Put a file at the end of the VM's list. */
void vm_add_fw_cfg(struct vm_config *vm, struct fw_cfg_config *one);
