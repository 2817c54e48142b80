/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/* Room to work in. */
struct firmware_room;

/*
 * Of config_open(), last, and only if nothing was wrong: the files of fw_cfg that describe the
 * machine to firmware. A VM without -bios gets none. An error is reported. '*room' is NULL at the
 * first call, and is used again by the next ones with this arena.
 */
void firmware_files_add(struct vm_config *vm, struct firmware_room **room, struct arena *arena,
			struct diag *diag);
