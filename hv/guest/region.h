/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"
#include "hv/ept/format.h"

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
#define MEM_MAP_MAX 400 /* RAM of 128 nodes, one of them split, 256 DIMMs, and drives */
struct mem_map {
	/* First the n regions of memory, then those that are hidden. */
	struct mem_region region[MEM_MAP_MAX];
	size_t n, n_hidden;
};

/*
 * Regions from here on are hidden: they hold what only a device reaches, by hidden_memory.h. No
 * vCPU does, see hv/ept/format.h; they are not memory, and neither counted in 'n' nor found by
 * mem_map_find().
 */
#define MEM_HIDDEN_START EPT_HIDDEN_START

/* How many regions the map has, hidden ones included. */
static inline size_t mem_map_all(const struct mem_map *map)
{
	return map->n + map->n_hidden;
}

static inline bool mem_region_is_hidden(const struct mem_region *region)
{
	return region->gpa.raw >= MEM_HIDDEN_START;
}

/* Call after the region got a reserve, or lost it. */
void mem_region_update(struct mem_region *region);

/*
 * Add a region. ERR_OVERLAP, ERR_NOMEM (table full), ERR_RANGE (wraps, is not whole pages, or only
 * partly hidden).
 */
enum status mem_map_add(struct mem_map *map, const struct mem_region *region);
/* Take out the region of memory that begins at gpa, of which there is one. The others move. */
void mem_map_remove(struct mem_map *map, gpa_t gpa);
/* The region that contains gpa. NULL: gpa is not memory. */
struct mem_region *mem_map_find(struct mem_map *map, gpa_t gpa);
/* The hidden region that contains gpa. NULL: there is none. */
struct mem_region *mem_map_find_hidden(struct mem_map *map, gpa_t gpa);

/*
 * Whether pages of the region may give their frames back: private memory, unless its frames were
 * allocated or reserved in advance.
 */
bool mem_region_gives_back(const struct mem_region *region);

/* Where the region begins in its backend, in bytes. */
uint64_t memory_backend_offset(const struct mem_region *region);
