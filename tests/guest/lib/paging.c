/* SPDX-License-Identifier: BSD-2-Clause */
/* The window of 4 KiB pages in the identity map, and the processor's feature switches. */
#include "tests/guest/lib/internal.h"
#include "tests/guest/lib/lib.h"

#define LARGE_PAGE UINT64_C(0x200000)
#define CPUID_NX   BIT(20)
#define XSAVE_BIT  BIT(26)

extern uint64_t page_pd[], page_pml4[];

static uint64_t window_table[512] __attribute__((aligned(4096)));

void paging_init(void)
{
	if (cpuid(0x80000001, 0).edx & CPUID_NX)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	page_pd[WINDOW / LARGE_PAGE] = (uint64_t)(uintptr_t)window_table | PTE_P | PTE_W;
	write_cr3(read_cr3());
}

void window_set(unsigned index, uint64_t pte)
{
	window_table[index] = pte;
	invlpg(WINDOW + index * PAGE_SIZE);
}

void pml4_set(unsigned index, uint64_t entry)
{
	page_pml4[index] = entry;
	write_cr3(read_cr3());
}

uint64_t xsave_enable(void)
{
	uint64_t offered;

	if (!(cpuid(1, 0).ecx & XSAVE_BIT))
		return 0;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	offered = cpuid(0xd, 0).eax & 7;
	xsetbv(0, offered);
	return offered;
}
