/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A file that -fw_cfg gives to a guest: between the configuration, which owns it, and
 * hv/devices/fw_cfg.h. Constant once the first VM runs.
 */
#define FW_CFG_NAME_MAX 55 /* bytes, without the NUL */

struct fw_cfg_file {
	struct fw_cfg_file *next;
	const char *name;
	const void *data;
	uint32_t len; /* bytes */
};
