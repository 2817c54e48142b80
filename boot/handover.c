/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last steps under the firmware and the first without it. Everything that can fail happens
 * before ExitBootServices(): the memory for the ranges has room for what the allocations and
 * later events add to the map. If the map has changed, the firmware refuses its key; the map is
 * then read again, without calls of other services. The page tables need no change, because
 * memory only changes its owner.
 */
#include "boot/handover.h"

#include <efilib.h>

#include "boot/firmware.h"
#include "boot/identity_map.h"
#include "boot/levels.h"
#include "boot/memory_map.h"

#define PAGE		UINT64_C(4096)
#define STACK_SIZE	(UINT64_C(64) << 10)
#define SIZE_4GIB	(UINT64_C(1) << 32)
#define N_SPARE_ENTRIES 64
#define N_TRIES		8
#define N_TABLE_PAGES	16
#define MAX_TABLE_PAGES 16384
#define CPUID_1GIB	(UINT32_C(1) << 26) /* leaf 0x80000001, EDX */

_Static_assert(sizeof(struct memory_descriptor) == sizeof(EFI_MEMORY_DESCRIPTOR), "");
_Static_assert(offsetof(struct memory_descriptor, attributes) ==
		       offsetof(EFI_MEMORY_DESCRIPTOR, Attribute),
	       "");

/* The firmware's map, its translation to ranges, and the page tables for them. */
struct lists {
	struct memory_map map;
	UINTN capacity; /* bytes for the firmware's entries */
	UINTN key;
	size_t n_ranges;
	struct identity_map tables;
};

static EFI_STATUS map_read(struct lists *lists, struct boot_info *info)
{
	struct memory_map *map = &lists->map;
	UINT32 version;
	EFI_STATUS status;

	map->size = lists->capacity;
	status = firmware->BootServices->GetMemoryMap(&map->size, (void *)map->entries, &lists->key,
						      &map->stride, &version);
	if (EFI_ERROR(status))
		return status;
	info->n_ranges = (uint32_t)memory_map_build(map, info->range, lists->n_ranges);
	return info->n_ranges > 0 ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

/* One allocation for all lists, because each allocation may add an entry to the map. */
static EFI_STATUS map_alloc(struct lists *lists, struct boot_info *info)
{
	struct memory_map *map = &lists->map;
	uint64_t edges_size, ranges_size, n;
	EFI_STATUS status;
	void *buffer;
	UINT32 version;

	status = firmware->BootServices->GetMemoryMap(&map->size, NULL, &lists->key, &map->stride,
						      &version);
	if (status != EFI_BUFFER_TOO_SMALL || map->stride < sizeof(struct memory_descriptor))
		return firmware_fail(status, L"the firmware does not report its memory map");
	n = map->size / map->stride + N_SPARE_ENTRIES;
	lists->capacity = n * map->stride;
	lists->n_ranges = map->n_edges = 2 * n + 4;
	edges_size = map->n_edges * sizeof(*map->edges);
	ranges_size = lists->n_ranges * sizeof(*info->range);
	status = firmware_alloc(L"the memory map", ranges_size + edges_size + lists->capacity,
				&buffer);
	if (EFI_ERROR(status))
		return status;
	info->range = buffer;
	map->edges = (void *)((char *)buffer + ranges_size);
	map->entries = (char *)buffer + ranges_size + edges_size;
	map->kept = (struct boot_range){
		.start = info->ramdisk, .len = info->ramdisk_capacity, .use = BOOT_MEM_HV};
	return EFI_SUCCESS;
}

static bool has_1gib_pages(void)
{
	uint32_t eax = 0x80000001, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (edx & CPUID_1GIB) != 0;
}

static EFI_STATUS tables_alloc(struct identity_map *tables, size_t n_pages)
{
	EFI_STATUS status;
	void *pool;

	if (n_pages > MAX_TABLE_PAGES)
		return firmware_fail(EFI_OUT_OF_RESOURCES,
				     L"the memory map is too scattered to be mapped");
	if (levels_must_change())
		status = firmware_alloc_below(L"page tables", n_pages * PAGE, SIZE_4GIB, &pool);
	else
		status = firmware_alloc(L"page tables", n_pages * PAGE, &pool);
	if (EFI_ERROR(status))
		return status;
	if (tables->pool)
		firmware_free(tables->pool);
	tables->pool = pool;
	tables->n_pages = n_pages;
	return EFI_SUCCESS;
}

/* False when the pool is too small. */
static bool tables_build(struct identity_map *tables, struct boot_info *info)
{
	tables->n_used = 0;
	tables->has_1gib = has_1gib_pages();
	info->efi_cr3 = (uintptr_t)tables->pool;
	if (!identity_map_add(tables, 0, SIZE_4GIB))
		return false;
	for (uint32_t i = 0; i < info->n_ranges; i++) {
		uint64_t end = info->range[i].start + info->range[i].len;

		if (end > SIZE_4GIB &&
		    !identity_map_add(tables, info->range[i].start, info->range[i].len))
			return false;
	}
	for (uint32_t i = 0; i < info->n_framebuffers; i++) {
		const struct boot_framebuffer *fb = &info->framebuffer[i];

		if (!identity_map_add(tables, fb->base, (uint64_t)fb->pitch * fb->height))
			return false;
	}
	return true;
}

static EFI_STATUS stack_alloc(struct boot_info *info)
{
	EFI_STATUS status;
	void *stack;

	status = firmware_alloc(L"a stack", STACK_SIZE, &stack);
	if (EFI_ERROR(status))
		return status;
	info->stack = (uintptr_t)stack;
	info->stack_len = STACK_SIZE;
	return EFI_SUCCESS;
}

/*
 * Read the map and build page tables for it; only then is their number known. Nothing is
 * allocated afterwards, so that the map's key stays valid.
 */
static EFI_STATUS map_and_tables(struct lists *lists, struct boot_info *info)
{
	for (size_t n_pages = N_TABLE_PAGES;; n_pages *= 2) {
		EFI_STATUS status = tables_alloc(&lists->tables, n_pages);

		if (EFI_ERROR(status))
			return status;
		status = map_read(lists, info);
		if (EFI_ERROR(status))
			return firmware_fail(status, L"the firmware's memory map cannot be read");
		if (tables_build(&lists->tables, info))
			return EFI_SUCCESS;
	}
}

static EFI_STATUS exit_boot_services(EFI_HANDLE image, struct lists *lists, struct boot_info *info)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (unsigned i = 0; i < N_TRIES && !EFI_ERROR(status); i++) {
		uint64_t begin = __builtin_ia32_rdtsc();

		status = firmware->BootServices->ExitBootServices(image, lists->key);
		info->firmware_exit_tsc = __builtin_ia32_rdtsc() - begin;
		if (!EFI_ERROR(status))
			return EFI_SUCCESS;
		if (status == EFI_INVALID_PARAMETER)
			status = map_read(lists, info);
	}
	return firmware_fail(EFI_ERROR(status) ? status : EFI_ABORTED,
			     L"ExitBootServices() failed");
}

/*
 * Clear the rest of the archive's last page. On the firmware's page tables a section of the
 * image may have been read-only.
 */
static void clear_ramdisk_tail(const struct boot_info *info)
{
	char *end = (char *)(info->ramdisk + info->ramdisk_len);

	for (uint64_t i = 0; i < -info->ramdisk_len % PAGE; i++)
		end[i] = 0;
}

static _Noreturn void enter_hypervisor(struct boot_info *info)
{
	info->handover_tsc = __builtin_ia32_rdtsc();
	__asm__ volatile("cld\n\t"
			 "mov %[stack], %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call hv_main\n\t"
			 "ud2"
			 :
			 : [stack] "r"(info->stack + info->stack_len), "D"(info)
			 : "memory");
	__builtin_unreachable();
}

EFI_STATUS handover(EFI_HANDLE image, struct boot_info *info)
{
	struct lists lists = {};
	EFI_STATUS status;

	status = stack_alloc(info);
	if (!EFI_ERROR(status))
		status = levels_prepare();
	if (!EFI_ERROR(status))
		status = map_alloc(&lists, info);
	if (!EFI_ERROR(status))
		status = map_and_tables(&lists, info);
	if (!EFI_ERROR(status))
		status = exit_boot_services(image, &lists, info);
	if (EFI_ERROR(status))
		return status;
	levels_load(info->efi_cr3);
	clear_ramdisk_tail(info);
	enter_hypervisor(info);
}
