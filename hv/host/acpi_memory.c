/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to the firmware's tables, which may also lie in memory that is listed as reserved. */
#include "hv/host/acpi_memory.h"

#include "hv/frame/phys.h"
#include "hv/host/paging.h"

const void *acpi_memory(phys_t start, uint64_t len)
{
	return paging_map_table(start, len) == OK ? phys_to_virt(start) : NULL;
}
