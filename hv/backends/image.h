/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/*
 * Bytes that exist: a file of the ramdisk, at a page boundary in host memory.
 * 'base' may be used up to the end of its last page; what lies behind 'size' there
 * is zeros.
 */
struct image {
	const char *path; /* as in the archive, with one leading '/' */
	phys_t base;
	uint64_t size;
	uint32_t mode;	  /* permission bits of the archive */
	bool moved;	  /* was not aligned in the archive */
	struct image *next;
};
