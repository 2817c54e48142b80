/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"

/*
 * The file of memory that goes with a VM's state: what no file of the ramdisk holds, that is
 * private memory, and shared memory without a file. Each backend begins at a multiple of
 * SAVED_ALIGN, in the order of the VM's addresses, and so is memory for 'mem-path=' with
 * 'offset='. Nothing but memory is in it; gaps are zeros.
 */
#define SAVED_ALIGN MIB(2)

/* Bytes; 0: there is nothing to be saved. */
uint64_t saved_memory_size(const struct mem_map *map);
/* Where the region's backend begins in the file; false: it is not in it. */
bool saved_memory_place(const struct mem_map *map, const struct mem_region *region, uint64_t *ret);
/*
 * One page of the file, 'offset' whole pages and below its size. The lock of the VM's memory is
 * held; the VM does not run.
 */
void saved_memory_read(struct guest_memory *memory, uint64_t offset, void *page);
