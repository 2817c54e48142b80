/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/* A window of guest-physical memory onto an image, or onto zeros. */
struct mem_region {
	gpa_t gpa;
	uint64_t len;
	enum mem_kind kind;
	const struct image *image;     /* NULL: anonymous */
	uint64_t offset;	       /* into the image; anonymous: into the backend */
	const struct backend *backend; /* NULL: the machine's default RAM */
	/* Where frames for copies come from; NULL: from free memory. */
	struct frame_reserve *reserve;
	bool copies_anywhere; /* set by mem_map_add(): private, and any frame serves for a copy */
};

/*
 * All memory of a VM, sorted by address, without overlaps. Built before the
 * first vCPU runs. It only changes while all vCPUs are aside (hv/vm/hotplug.h),
 * and is therefore read without a lock. The EPT is derived from it.
 */
#define MEM_MAP_MAX 400 /* RAM of 128 nodes, one of them split, and 256 DIMMs */
struct mem_map {
	struct mem_region region[MEM_MAP_MAX];
	size_t n;
};

/* Call after the region got a reserve, or lost it. */
void mem_region_update(struct mem_region *region);

/* Add a region. ERR_OVERLAP, ERR_NOMEM (table full), ERR_RANGE (wraps or not whole pages). */
enum status mem_map_add(struct mem_map *map, const struct mem_region *region);
/* Take out the region that begins at gpa, of which there is one. The others move. */
void mem_map_remove(struct mem_map *map, gpa_t gpa);
/* The region that contains gpa. NULL: gpa is not memory. */
struct mem_region *mem_map_find(struct mem_map *map, gpa_t gpa);

/* Where the region begins in its backend, in bytes. */
uint64_t memory_backend_offset(const struct mem_region *region);
