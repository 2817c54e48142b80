/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* Types of the information's tags, which a header can request. */
enum multiboot2_info_tag {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER_NAME = 2,
	MB2_MODULE = 3,
	MB2_MEMORY = 4,
	MB2_MEMORY_MAP = 6,
	MB2_SECTIONS = 9,
	MB2_ACPI_NEW = 15,
	MB2_LOAD_BASE = 21,
};

/* What a Multiboot 2 header asks for, checked. Offsets are in the file; 0: there is no such tag. */
struct multiboot2_header {
	uint64_t at;	    /* of the header */
	uint64_t addresses; /* of the address tag's four fields */
	uint64_t entry;	    /* of the entry address tag's field */
	bool wants_sections;
	bool is_relocatable;
	/* Where the kernel may be put, if it is relocatable. */
	struct {
		uint64_t min, max; /* the first and the last byte */
		uint64_t align;	   /* a power of two */
		enum { MB2_ANYWHERE, MB2_LOWEST, MB2_HIGHEST } preference;
	} place;
};

/* Read the header of a file in which multiboot2_find_header() finds one. An error has a message. */
enum status multiboot2_read_header(struct loader *loader, struct multiboot2_header *ret);
