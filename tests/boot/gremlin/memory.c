/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is taken, scattered, or that changes when Stencil wants to leave the firmware. */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

#define SIZE_1MIB   (UINT64_C(1) << 20)
#define SIZE_4GIB   (UINT64_C(1) << 32)
#define N_TAKEN_MAX 512

/* All pages below 1 MiB are allocated, and free again after ExitBootServices(). */
EFI_STATUS low_boot_services(UINTN number)
{
	EFI_PHYSICAL_ADDRESS addr = SIZE_1MIB - 1;

	while (!EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &addr)))
		addr = SIZE_1MIB - 1;
	return EFI_SUCCESS;
}

static EFI_GET_MEMORY_MAP get_memory_map;

static EFI_STATUS EFIAPI get_map_without_low(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
					     UINTN *stride, UINT32 *version)
{
	EFI_STATUS status = get_memory_map(size, map, key, stride, version);

	for (UINTN at = 0; !EFI_ERROR(status) && at < *size; at += *stride) {
		EFI_MEMORY_DESCRIPTOR *entry = (EFI_MEMORY_DESCRIPTOR *)((UINT8 *)map + at);

		if (entry->PhysicalStart < SIZE_1MIB)
			entry->Type = EfiReservedMemoryType;
	}
	return status;
}

/* No page below 1 MiB is ever free. */
EFI_STATUS low_reserved(UINTN number)
{
	low_boot_services(number);
	get_memory_map = BS->GetMemoryMap;
	BS->GetMemoryMap = get_map_without_low;
	return EFI_SUCCESS;
}

/* That many reserved pages, each with a free page after it. */
EFI_STATUS holes(UINTN number)
{
	for (UINTN i = 0; i < number; i++) {
		EFI_PHYSICAL_ADDRESS addr;
		EFI_STATUS status =
			BS->AllocatePages(AllocateAnyPages, EfiReservedMemoryType, 2, &addr);

		if (!EFI_ERROR(status))
			status = BS->FreePages(addr + EFI_PAGE_SIZE, 1);
		if (EFI_ERROR(status))
			return status;
	}
	return EFI_SUCCESS;
}

static struct {
	EFI_PHYSICAL_ADDRESS start;
	UINTN n_pages;
} taken[N_TAKEN_MAX];
static UINTN n_taken;

/* Take what is free below 4 GiB except small pieces, so that the image is loaded above. */
EFI_STATUS take_below_4gib(UINTN number)
{
	UINTN n_pages = 1 << 18;

	while (n_pages >= 16 && n_taken < N_TAKEN_MAX) {
		EFI_PHYSICAL_ADDRESS addr = SIZE_4GIB - 1;

		if (EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiBootServicesData, n_pages,
						&addr))) {
			n_pages /= 2;
			continue;
		}
		taken[n_taken].start = addr;
		taken[n_taken++].n_pages = n_pages;
	}
	return n_taken < N_TAKEN_MAX ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

EFI_STATUS give_below_4gib(UINTN number)
{
	while (n_taken-- > 0)
		BS->FreePages(taken[n_taken].start, taken[n_taken].n_pages);
	return EFI_SUCCESS;
}

static EFI_EXIT_BOOT_SERVICES exit_boot_services;
static UINTN n_refusals;

/* A change of the memory map invalidates the caller's key. */
static EFI_STATUS EFIAPI exit_later(EFI_HANDLE image, UINTN key)
{
	EFI_PHYSICAL_ADDRESS addr;

	if (n_refusals > 0) {
		n_refusals--;
		BS->AllocatePages(AllocateAnyPages, EfiRuntimeServicesData, 1, &addr);
	}
	return exit_boot_services(image, key);
}

/* ExitBootServices() fails that many times. */
EFI_STATUS refuse_exit(UINTN number)
{
	n_refusals = number;
	exit_boot_services = BS->ExitBootServices;
	BS->ExitBootServices = exit_later;
	return EFI_SUCCESS;
}
