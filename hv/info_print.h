/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/config.h"
#include "hv/backends/memmap.h"

/* Say what 'vm', whose memory is laid out as 'mem', answers to each of the commands. */
void info_print(const struct vm_config *vm, const struct mem_map *mem,
		const struct info_config *commands);
