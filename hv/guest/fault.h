/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/region.h"

/*
 * Bits 2:0 of the exit qualification. SDM vol. 3, "Exit Qualification for EPT
 * Violations".
 */
enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_EXEC = 4 };

enum fault_action {
	FAULT_RETRY, /* another vCPU has already resolved it */
	FAULT_MAP,   /* map the page as its region says: region_map_page() */
	FAULT_ZEROS, /* the first read of fresh memory: ept_show_zeros() */
	FAULT_SPLIT, /* the first fetch from a large page: ept_split() */
	FAULT_COPY,  /* give the VM its own copy of the page: ept_copy() */
	FAULT_DROP,  /* complete the instruction, drop the write */
	FAULT_MMIO,  /* not memory: ask the devices */
};

/*
 * Decide what to do about an EPT violation: 'region' from mem_map_find(),
 * 'entry' from ept_lookup() under the same hold of the VM's lock, 'access' of
 * enum access.
 */
enum fault_action fault_decide(const struct mem_region *region, uint64_t entry, unsigned access);
