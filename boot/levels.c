/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves 5-level paging. The code for it runs on the hypervisor's own tables, because the
 * firmware's may forbid to execute what was allocated: its fifth level has one entry, the table of
 * four levels.
 */
#include "boot/levels.h"

#include "boot/firmware.h"

#define PAGE	  UINT64_C(4096)
#define CR4_LA57  (UINT64_C(1) << 12)
#define CR4_PCIDE (UINT64_C(1) << 17)
#define ENTRY_P	  (UINT64_C(1) << 0)
#define ENTRY_W	  (UINT64_C(1) << 1)
#define SIZE_4GIB (UINT64_C(1) << 32)

/* levels.asm */
extern const char levels_start[], levels_end[];

/* Two pages below 4 GiB: the code, and the fifth level. */
static char *code;
static uint64_t *fifth_level;

static uint64_t read_cr4(void)
{
	uint64_t cr4;

	__asm__("mov %%cr4, %0" : "=r"(cr4));
	return cr4;
}

static void load_root(uint64_t root)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

bool levels_must_change(void)
{
	return (read_cr4() & CR4_LA57) != 0;
}

EFI_STATUS levels_prepare(void)
{
	EFI_STATUS status;
	void *pages;

	if (!levels_must_change())
		return EFI_SUCCESS;
	status = firmware_alloc_below(L"leaving 5-level paging", 2 * PAGE, SIZE_4GIB, &pages);
	if (EFI_ERROR(status))
		return status;
	code = pages;
	fifth_level = (void *)(code + PAGE);
	firmware->BootServices->CopyMem(code, (void *)levels_start,
					(UINTN)levels_end - (UINTN)levels_start);
	firmware->BootServices->SetMem(fifth_level, PAGE, 0);
	return EFI_SUCCESS;
}

void levels_load(uint64_t root)
{
	__asm__ volatile("cli");
	if (!levels_must_change()) {
		load_root(root);
		return;
	}
	fifth_level[0] = root | ENTRY_P | ENTRY_W;
	load_root((uintptr_t)fifth_level);
	__asm__ volatile("mov %0, %%cr4" : : "r"(read_cr4() & ~CR4_PCIDE) : "memory");
	((void (*)(uint64_t))(uintptr_t)code)(root);
}
