/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* Where a Multiboot header of either version gives the addresses of a kernel that is not an ELF
 * file. */
struct flat_header {
	uint64_t header;   /* offsets in the file, which has all the fields */
	uint64_t fields;   /* header_addr, load_addr, load_end_addr, bss_end_addr */
	uint64_t entry;	   /* entry_addr */
	bool may_be_whole; /* a load_addr of -1 means: from the start of the file */
};

/* These fields, and numbers derived from them. */
struct flat {
	uint64_t fields;
	uint64_t offset;    /* of the text in the file */
	uint64_t load, len; /* bytes of file to load */
	uint64_t end;	    /* after the memory to clear */
	uint64_t entry;
};

/* Read and check against the file. */
enum status flat_read(struct loader *loader, const struct flat_header *header, struct flat *ret);
/* Check against the RAM, copy, set kernel_start, kernel_end and rip, all of them higher by 'delta'.
 */
enum status flat_load(struct loader *loader, const struct flat *flat, uint64_t delta);
