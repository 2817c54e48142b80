/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/drive.h"

/*
 * Of config_open(): find the files of a VM's drives, and give them their places in its hidden
 * memory. Errors are reported.
 */
void drives_open(struct vm_config *vm, struct image_list *images, struct diag *diag);

/*
 * Of config_open(), at its end: a file that one drive writes is no other one's unless both have
 * share-rw=on, as QEMU's locks want it; and a VM that is to be cloned has no drive that all clones
 * would write. Errors are reported.
 */
void drives_check_sharing(const struct config *config, struct diag *diag);
