/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Of config_open(), last, and only if nothing was wrong: the files of fw_cfg that describe the
 * machine to firmware. A VM without -bios gets none. An error is reported.
 */
void firmware_files_add(struct vm_config *vm, struct arena *arena, struct diag *diag);
