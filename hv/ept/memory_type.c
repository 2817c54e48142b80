/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What memory of each kind looks like to the processor. Devices are never
 * mapped.
 */
#include "hv/ept/memory_type.h"

#include "hv/ept/ept.h"

uint64_t ept_attr(enum mem_kind kind)
{
	uint64_t attr = EPT_R | EPT_X | EPT_TYPE(MEMORY_TYPE_WB);

	return kind == MEM_SHARED ? attr | EPT_W : attr;
}
