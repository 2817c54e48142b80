/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/image.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"

/*
 * Read the ramdisk at [base, base + len): cpio archives of the formats newc and crc,
 * any number of them with zeros between, each at any byte. Data stay where they are.
 * Names live in the archive or in 'arena'. The list is empty (NULL) for len 0.
 * The first error is said with its offset and ends in ERR_CORRUPT; ERR_NOMEM (said) if the arena
 * is full. Nothing outside of [base, base + len) is read.
 */
enum status ramdisk_open(phys_t base, uint64_t len, struct arena *arena, struct diag *diag,
			 struct image **ret_list);
