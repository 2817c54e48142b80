/* SPDX-License-Identifier: BSD-2-Clause */
/* Five levels of page tables. */
#include "tests/boot/gremlin/gremlin.h"

#include <efilib.h>

#define SIZE_4GIB   (UINT64_C(1) << 32)
#define CPUID_LA57  (1u << 16) /* leaf 7, ECX */
#define CR4_LA57    (UINT64_C(1) << 12)
#define PTE_PRESENT 1
#define PTE_WRITE   2

static EFI_EXIT_BOOT_SERVICES exit_boot_services;
static UINT64 four_levels, five_levels; /* physical addresses of the roots */

static bool has_la57(void)
{
	UINT32 eax = 7, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (ecx & CPUID_LA57) != 0;
}

static UINT64 read_cr4(void)
{
	UINT64 cr4;

	__asm__("mov %%cr4, %0" : "=r"(cr4));
	return cr4;
}

/* OVMF gives its other processors the CR4 that it had when it started them. */
static EFI_STATUS EFIAPI exit_with_four_levels(EFI_HANDLE image, UINTN key)
{
	EFI_STATUS status;

	la57_switch(four_levels, read_cr4() & ~CR4_LA57);
	status = exit_boot_services(image, key);
	la57_switch(five_levels, read_cr4() | CR4_LA57);
	return status;
}

/* The first entry of the new root is the present root. */
EFI_STATUS la57(UINTN number)
{
	EFI_PHYSICAL_ADDRESS pml5 = SIZE_4GIB - 1;
	EFI_STATUS status;

	if (!has_la57())
		return EFI_UNSUPPORTED;
	status = BS->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &pml5);
	if (EFI_ERROR(status))
		return status;
	__asm__("mov %%cr3, %0" : "=r"(four_levels));
	five_levels = pml5;
	BS->SetMem((VOID *)pml5, EFI_PAGE_SIZE, 0);
	*(UINT64 *)pml5 = (four_levels & ~(UINT64)EFI_PAGE_MASK) | PTE_PRESENT | PTE_WRITE;
	exit_boot_services = BS->ExitBootServices;
	BS->ExitBootServices = exit_with_four_levels;
	la57_switch(five_levels, read_cr4() | CR4_LA57);
	return EFI_SUCCESS;
}
