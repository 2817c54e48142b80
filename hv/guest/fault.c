/* SPDX-License-Identifier: BSD-2-Clause */
/* Decide what an EPT violation means. A pure decision, which the caller carries out. */
#include "hv/guest/fault.h"

#include "hv/ept/ept.h"

_Static_assert(ACCESS_READ == EPT_R && ACCESS_WRITE == EPT_W && ACCESS_EXEC == EPT_X,
	       "access bits and permission bits have the same positions");

enum fault_action fault_decide(const struct mem_region *region, uint64_t entry, unsigned access)
{
	if (region == NULL)
		return FAULT_MMIO;
	if ((access & ~entry & EPT_PRESENT) == 0)
		return FAULT_RETRY;
	if ((access & ACCESS_EXEC) && (entry & EPT_SMALL_CODE))
		return FAULT_SPLIT;
	if (!(access & ACCESS_WRITE))
		return entry & EPT_FRESH ? FAULT_ZEROS : FAULT_MAP;

	switch (region->kind) {
	case MEM_SHARED:
		return FAULT_MAP;
	case MEM_COW:
		/* A copy needs a page: map it first; the guest repeats the write. */
		return entry & EPT_MAPPED ? FAULT_COPY : FAULT_MAP;
	case MEM_ROM:
		return FAULT_DROP;
	}
	__builtin_unreachable();
}
