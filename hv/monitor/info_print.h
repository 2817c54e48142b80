/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/platform.h"
#include "hv/guest/region.h"

/* Say what 'vm', made of this memory and these devices, answers to each of the commands. */
void info_print(const struct vm_config *vm, const struct mem_map *mem,
		const struct device_list *devices, const struct info_config *commands);
