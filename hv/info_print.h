/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/config.h"
#include "hv/backends/memmap.h"
#include "hv/device_range.h"

/* Say what 'vm', made of this memory and these devices, answers to each of the commands. */
void info_print(const struct vm_config *vm, const struct mem_map *mem,
		const struct device_list *devices, const struct info_config *commands);
