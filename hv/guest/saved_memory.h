/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"

/*
 * The file of memory that belongs to a VM's state: what is not in a file of the
 * ramdisk, which is private memory, and shared memory without a file. Each
 * backend begins at a multiple of SAVED_ALIGN, in the order of the VM's
 * addresses, and so can be used as memory by 'mem-path=' with 'offset='. The
 * file has nothing but memory; gaps are zeros.
 */
#define SAVED_ALIGN MIB(2)

/* The size in bytes; 0: there is nothing to save. */
uint64_t saved_memory_size(const struct mem_map *map);
/* Whether some of it is shared: with a template's clones, which change it while they run. */
bool saved_memory_is_shared(const struct mem_map *map);
/* Where the region's backend begins in the file. False: the region is not saved. */
bool saved_memory_place(const struct mem_map *map, const struct mem_region *region, uint64_t *ret);
/*
 * Read one page of the file. 'offset' is whole pages and below the size. The
 * VM's lock is held, and the VM does not run.
 */
void saved_memory_read(struct guest_memory *memory, uint64_t offset, void *page);
/*
 * Write one page of the file into a VM that has not run, unless the VM has these bytes already.
 * 'offset' is whole pages. ERR_RANGE: no memory that is saved is there. ERR_NOMEM: as
 * guest_write().
 */
enum status saved_memory_write(struct guest_memory *memory, uint64_t offset, const void *page);
/*
 * The next page of the file, from 'offset' on, that is not the one which the tree with the root
 * 'below' has there; 'below' 0: that may be other than zeros. Returns the size if there is none.
 * If '*budget' is 0 then, this is only where to continue. All else as ept_next_difference().
 */
uint64_t saved_memory_next(const struct guest_memory *memory, phys_t below, uint64_t offset,
			   unsigned *budget);
