/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/image.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"

/*
 * Read the ramdisk at [base, base + len): any number of cpio archives of the formats newc and crc,
 * each at any byte, with zeros between them. The data stay where they are; names are in the archive
 * or in 'arena'. The list is empty (NULL) if 'len' is 0. Nothing outside [base, base + len) is
 * read. ERR_CORRUPT: the first error is reported with its offset. ERR_NOMEM: the arena is full,
 * reported.
 */
enum status ramdisk_open(phys_t base, uint64_t len, struct arena *arena, struct diag *diag,
			 struct image **ret_list);
