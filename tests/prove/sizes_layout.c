/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For WP: splitting RAM at 3 GiB wraps for no backend and no place, and the
 * second part begins, in the guest's address space and in the backend, where
 * the first one ends.
 */
#include "tests/prove/numbers.h"

#include "hv/config/layout.h"

/* Does not change backends. */
/*@ assigns \nothing; */
enum status mem_map_add(struct mem_map *map, const struct mem_region *region);

/* An offset and a size that check_map() accepts. */
/*@ requires \valid_read(backend) && len <= 0x7fffffffffffffff && offset <= 0x7fffffffffffffff;
    requires backend->offset <= 0x7fffffffffffffff;
    ensures \result.gpa.raw == gpa && len <= \result.len && \result.len - len < 4096;
    ensures \result.offset == offset + (backend->image == \null ? 0 : backend->offset);
    assigns \nothing; */
static struct mem_region region_of(const struct backend *backend, uint64_t gpa, uint64_t len,
				   uint64_t offset);

/*@ requires \valid_read(backend) && backend->size <= 0x7fffffffffffffff;
    requires backend->offset <= 0x7fffffffffffffff;
    assigns \nothing; */
static enum status add_ram(struct mem_map *map, const struct backend *backend, uint64_t at);

#include "hv/config/layout.c"
