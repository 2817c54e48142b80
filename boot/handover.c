/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last steps under the firmware and the first without it. Everything that
 * can fail is done before ExitBootServices(): memory for the ranges is taken
 * with room for what the allocations themselves and later events add to the map.
 * If the map changes in between, the firmware refuses its key, and both are
 * done again; no other service may be called then.
 */
#include "boot/handover.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/identity_map.h"
#include "boot/memory_map.h"

#define PAGE		UINT64_C(4096)
#define STACK_SIZE	(UINT64_C(64) << 10)
#define SIZE_4GIB	(UINT64_C(1) << 32)
#define N_SPARE_ENTRIES 64
#define N_TRIES		8
#define MAX_TABLE_PAGES 16384
#define CR4_LA57	(UINT64_C(1) << 12)
#define CPUID_1GIB	(UINT32_C(1) << 26) /* leaf 0x80000001, EDX */

_Static_assert(sizeof(struct memory_descriptor) == sizeof(EFI_MEMORY_DESCRIPTOR), "");
_Static_assert(offsetof(struct memory_descriptor, attributes) ==
		       offsetof(EFI_MEMORY_DESCRIPTOR, Attribute),
	       "");

/* The firmware's map and what it is translated with. */
struct map {
	EFI_MEMORY_DESCRIPTOR *entries;
	UINTN capacity, size, stride, key;
	struct memory_edge *edges;
	size_t n_edges;
	size_t n_ranges; /* capacity of boot_info.range */
};

static EFI_STATUS map_read(struct map *map, struct boot_info *info)
{
	UINT32 version;
	EFI_STATUS status;

	map->size = map->capacity;
	status = firmware->BootServices->GetMemoryMap(&map->size, map->entries, &map->key,
						      &map->stride, &version);
	if (EFI_ERROR(status))
		return status;
	info->n_ranges =
		(uint32_t)memory_map_build(map->entries, map->size, map->stride, map->edges,
					   map->n_edges, info->range, map->n_ranges);
	return info->n_ranges > 0 ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

/* One allocation for all lists: each more would be another entry of the map. */
static EFI_STATUS map_alloc(struct map *map, struct boot_info *info)
{
	uint64_t edges_size, ranges_size, n;
	EFI_STATUS status;
	void *buffer;
	UINT32 version;

	status = firmware->BootServices->GetMemoryMap(&map->size, NULL, &map->key, &map->stride,
						      &version);
	if (status != EFI_BUFFER_TOO_SMALL || map->stride < sizeof(struct memory_descriptor))
		return firmware_fail(status, L"the firmware does not tell its memory map");
	n = map->size / map->stride + N_SPARE_ENTRIES;
	map->capacity = n * map->stride;
	map->n_edges = map->n_ranges = 2 * n + 2;
	edges_size = map->n_edges * sizeof(*map->edges);
	ranges_size = map->n_ranges * sizeof(*info->range);
	status = firmware_alloc(L"the memory map", ranges_size + edges_size + map->capacity, PAGE,
				&buffer);
	if (EFI_ERROR(status))
		return status;
	info->range = buffer;
	map->edges = (void *)((char *)buffer + ranges_size);
	map->entries = (void *)((char *)buffer + ranges_size + edges_size);
	return EFI_SUCCESS;
}

static bool has_1gib_pages(void)
{
	uint32_t eax = 0x80000001, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (edx & CPUID_1GIB) != 0;
}

static int paging_levels(void)
{
	uint64_t cr4;

	__asm__("mov %%cr4, %0" : "=r"(cr4));
	return cr4 & CR4_LA57 ? 5 : 4;
}

/* False when the pool is too small. */
static bool tables_build(struct identity_map *tables, const struct boot_info *info)
{
	const struct boot_framebuffer *fb = &info->framebuffer;

	if (!identity_map_add(tables, 0, SIZE_4GIB))
		return false;
	for (uint32_t i = 0; i < info->n_ranges; i++) {
		if (!identity_map_add(tables, info->range[i].start, info->range[i].len))
			return false;
	}
	return identity_map_add(tables, fb->base, (uint64_t)fb->pitch * fb->height);
}

/* How many tables are needed shows only when they are built: try, and take twice as many. */
static EFI_STATUS tables_alloc(struct boot_info *info)
{
	struct identity_map tables = {.levels = paging_levels(), .has_1gib = has_1gib_pages()};

	for (tables.n_pages = 16; tables.n_pages <= MAX_TABLE_PAGES; tables.n_pages *= 2) {
		UINTN size = tables.n_pages * PAGE;
		EFI_STATUS status;
		void *pool;

		status = firmware_alloc(L"page tables", size, PAGE, &pool);
		if (EFI_ERROR(status))
			return status;
		firmware->BootServices->SetMem(pool, size, 0);
		tables.pool = pool;
		tables.n_used = 0;
		if (tables_build(&tables, info)) {
			info->efi_cr3 = (uintptr_t)pool;
			return EFI_SUCCESS;
		}
		firmware_free(pool);
	}
	return firmware_fail(EFI_OUT_OF_RESOURCES, L"the memory map is too scattered to be mapped");
}

static EFI_STATUS stack_alloc(struct boot_info *info)
{
	EFI_STATUS status;
	void *stack;

	status = firmware_alloc(L"a stack", STACK_SIZE, PAGE, &stack);
	if (EFI_ERROR(status))
		return status;
	info->stack = (uintptr_t)stack;
	info->stack_len = STACK_SIZE;
	return EFI_SUCCESS;
}

static EFI_STATUS exit_boot_services(EFI_HANDLE image, struct map *map, struct boot_info *info)
{
	EFI_STATUS status = EFI_ABORTED;

	for (unsigned i = 0; i < N_TRIES; i++) {
		uint64_t begin;

		status = map_read(map, info);
		if (EFI_ERROR(status))
			break;
		begin = __builtin_ia32_rdtsc();
		status = firmware->BootServices->ExitBootServices(image, map->key);
		info->firmware_exit_tsc = __builtin_ia32_rdtsc() - begin;
		if (!EFI_ERROR(status))
			return EFI_SUCCESS;
	}
	return firmware_fail(status, L"the firmware does not let go of the machine");
}

/* The caller's stack and the page tables it is mapped by are gone with this. */
static _Noreturn void enter_hypervisor(struct boot_info *info)
{
	__asm__ volatile("cli\n\t"
			 "cld\n\t"
			 "mov %[cr3], %%cr3\n\t"
			 "mov %[stack], %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call hv_main\n\t"
			 "ud2"
			 :
			 : [cr3] "r"(info->efi_cr3), [stack] "r"(info->stack + info->stack_len),
			   "D"(info)
			 : "memory");
	__builtin_unreachable();
}

EFI_STATUS handover(EFI_HANDLE image, struct boot_info *info)
{
	struct map map = {};
	EFI_STATUS status;

	status = stack_alloc(info);
	if (!EFI_ERROR(status))
		status = map_alloc(&map, info);
	if (EFI_ERROR(status))
		return status;
	status = map_read(&map, info);
	if (EFI_ERROR(status))
		return firmware_fail(status, L"the firmware's memory map cannot be read");
	status = tables_alloc(info);
	if (!EFI_ERROR(status))
		status = exit_boot_services(image, &map, info);
	if (EFI_ERROR(status))
		return status;
	info->handover_tsc = __builtin_ia32_rdtsc();
	enter_hypervisor(info);
}
