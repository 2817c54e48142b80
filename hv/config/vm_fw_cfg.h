/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Of config_open(), after all backends of all VMs are open: find the files of -fw_cfg. ERR_INVAL:
 * reported.
 */
enum status vm_open_fw_cfg(struct vm_config *vm, struct image_list *images, struct diag *diag);
