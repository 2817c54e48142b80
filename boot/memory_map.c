/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translates the firmware's memory map to ranges of struct boot_info. Firmware maps are unsorted
 * and, on real machines, sometimes wrong: overlapping, wrapping, empty. Each descriptor gives two
 * edges. One walk over the sorted edges takes the most careful of the uses claimed at each
 * address, so that the ranges are sorted and merged. It does not know what lies in the holes.
 */
#include "boot/memory_map.h"

#define PAGE	      UINT64_C(4096)
#define ADDRESS_LIMIT (UINT64_C(1) << 52) /* the architecture's largest physical address */
#define N_USES	      (BOOT_MEM_RESERVED + 1)

/* UEFI specification, "Memory Type Usage before ExitBootServices()". */
enum {
	TYPE_LOADER_CODE = 1,
	TYPE_LOADER_DATA = 2,
	TYPE_BOOT_CODE = 3,
	TYPE_BOOT_DATA = 4,
	TYPE_RUNTIME_CODE = 5,
	TYPE_RUNTIME_DATA = 6,
	TYPE_CONVENTIONAL = 7,
	TYPE_ACPI_RECLAIM = 9,
	TYPE_ACPI_NVS = 10,
	TYPE_MMIO = 11,
	TYPE_MMIO_PORTS = 12,
};

#define ATTRIBUTE_WB (UINT64_C(1) << 3)	 /* can be cached write-back */
#define ATTRIBUTE_SP (UINT64_C(1) << 18) /* meant for a special purpose */

static enum mem_use descriptor_use(const struct memory_descriptor *descriptor)
{
	bool is_ram = (descriptor->attributes & (ATTRIBUTE_WB | ATTRIBUTE_SP)) == ATTRIBUTE_WB;

	switch (descriptor->type) {
	case TYPE_LOADER_CODE:
	case TYPE_LOADER_DATA:
		return BOOT_MEM_HV;
	case TYPE_BOOT_CODE:
	case TYPE_BOOT_DATA:
	case TYPE_CONVENTIONAL:
		return is_ram ? BOOT_MEM_FREE : BOOT_MEM_RESERVED;
	case TYPE_RUNTIME_CODE:
	case TYPE_RUNTIME_DATA:
		return BOOT_MEM_RUNTIME;
	case TYPE_ACPI_RECLAIM:
	case TYPE_ACPI_NVS:
		return BOOT_MEM_ACPI;
	case TYPE_MMIO:
	case TYPE_MMIO_PORTS:
		return BOOT_MEM_MMIO;
	default:
		return BOOT_MEM_RESERVED;
	}
}

/* Shrink free memory to whole pages, enlarge anything else; false if nothing is left. */
static bool descriptor_range(const struct memory_descriptor *descriptor, struct boot_range *ret)
{
	uint64_t start = descriptor->start, end;
	enum mem_use use = descriptor_use(descriptor);

	if (start >= ADDRESS_LIMIT || descriptor->n_pages == 0)
		return false;
	if (descriptor->n_pages > (ADDRESS_LIMIT - start) / PAGE) {
		end = ADDRESS_LIMIT;
		/* Cut off a descriptor that extends beyond the largest address. */
		use = use == BOOT_MEM_FREE ? BOOT_MEM_RESERVED : use;
	} else {
		end = start + descriptor->n_pages * PAGE;
	}
	if (use == BOOT_MEM_FREE) {
		start = (start + PAGE - 1) & -PAGE;
		end &= -PAGE;
	} else {
		start &= -PAGE;
		end = (end + PAGE - 1) & -PAGE;
	}
	*ret = (struct boot_range){.start = start, .len = end - start, .use = use};
	return start < end;
}

/* Returns false if it does not fit. */
static bool edges_add(const struct memory_map *map, size_t *n, const struct boot_range *range)
{
	struct memory_edge *edges = &map->edges[*n];

	if (map->n_edges - *n < 2)
		return false;
	edges[0] = (struct memory_edge){.addr = range->start, .use = range->use, .begin = true};
	edges[1] = (struct memory_edge){.addr = range->start + range->len, .use = range->use};
	*n += 2;
	return true;
}

/* Returns false if they do not fit. */
static bool edges_collect(const struct memory_map *map, size_t *n)
{
	const struct boot_range frame_zero = {.len = PAGE, .use = BOOT_MEM_RESERVED};

	if (!edges_add(map, n, &frame_zero))
		return false;
	if (map->kept.len > 0 && !edges_add(map, n, &map->kept))
		return false;
	for (size_t at = 0; map->size - at >= map->stride; at += map->stride) {
		struct memory_descriptor descriptor;
		struct boot_range range;

		__builtin_memcpy(&descriptor, (const char *)map->entries + at, sizeof(descriptor));
		if (descriptor_range(&descriptor, &range) && !edges_add(map, n, &range))
			return false;
	}
	return true;
}

static void edges_sift_down(struct memory_edge *edges, size_t root, size_t n)
{
	for (size_t child = 2 * root + 1; child < n; root = child, child = 2 * root + 1) {
		struct memory_edge edge = edges[root];

		if (child + 1 < n && edges[child].addr < edges[child + 1].addr)
			child++;
		if (edge.addr >= edges[child].addr)
			return;
		edges[root] = edges[child];
		edges[child] = edge;
	}
}

/* Heap sort: no recursion, and no input makes it slow. */
static void edges_sort(struct memory_edge *edges, size_t n)
{
	for (size_t root = n / 2; root-- > 0;)
		edges_sift_down(edges, root, n);
	while (n-- > 1) {
		struct memory_edge last = edges[n];

		edges[n] = edges[0];
		edges[0] = last;
		edges_sift_down(edges, 0, n);
	}
}

/* The most careful use of the current claims; enum mem_use is in that order. */
static bool claimed_use(const uint32_t *n_claims, enum mem_use *ret)
{
	for (int use = N_USES - 1; use >= 0; use--) {
		if (n_claims[use] > 0) {
			*ret = (enum mem_use)use;
			return true;
		}
	}
	return false;
}

/* Append a range, or extend the last one; false if it does not fit. */
static bool ranges_append(struct boot_range *ranges, size_t capacity, size_t *n,
			  const struct boot_range *range)
{
	struct boot_range *last = *n > 0 ? &ranges[*n - 1] : NULL;

	if (last && last->use == range->use && last->start + last->len == range->start) {
		last->len += range->len;
		return true;
	}
	if (*n == capacity)
		return false;
	ranges[(*n)++] = *range;
	return true;
}

size_t memory_map_build(const struct memory_map *map, struct boot_range *ranges, size_t n_ranges)
{
	const struct memory_edge *edges = map->edges;
	uint32_t n_claims[N_USES] = {};
	size_t n = 0, n_edges = 0;

	if (map->stride < sizeof(struct memory_descriptor) || !edges_collect(map, &n_edges))
		return 0;
	edges_sort(map->edges, n_edges);
	for (size_t i = 0; i + 1 < n_edges; i++) {
		struct boot_range range = {.start = edges[i].addr};

		if (edges[i].begin)
			n_claims[edges[i].use]++;
		else
			n_claims[edges[i].use]--;
		range.len = edges[i + 1].addr - range.start;
		if (range.len == 0 || !claimed_use(n_claims, &range.use))
			continue;
		if (!ranges_append(ranges, n_ranges, &n, &range))
			return 0;
	}
	return n;
}
