/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's address space, one for all processors: physical memory at its own address. It only
 * protects against our own bugs; EPT confines the guests. There are no global pages and no PCIDs,
 * so that a load of CR3 drops all translations.
 */
#include "hv/host/paging.h"

#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/page_table.h"
#include "hv/lib/assert.h"
#include "hv/lib/lock.h"

#define HOST_CR0 (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)

/* Guards the tables and the generation. The frames lock may be taken inside. */
static struct lock paging_lock;
static struct page_table tables;
static uint64_t generation; /* incremented when a right is taken away; read without the lock */
static uint64_t host_cr4;   /* constant after paging_init(), as the next two */
static bool has_nx, nx_was_hidden;

static bool has_1g_pages(void)
{
	struct cpuid_regs regs;

	cpuid(UINT32_C(0x80000001), 0, &regs);
	return regs.edx & BIT(26);
}

static bool cpuid_has_nx(void)
{
	struct cpuid_regs regs;

	cpuid(UINT32_C(0x80000001), 0, &regs);
	return regs.edx & BIT(20);
}

/* Firmware has a switch that makes Intel's processors hide NX. */
static void find_nx(void)
{
	uint64_t misc;

	has_nx = cpuid_has_nx();
	if (has_nx || !rdmsr_safe(IA32_MISC_ENABLE, &misc) || !(misc & MISC_ENABLE_NX_OFF))
		return;
	nx_was_hidden = wrmsr_safe(IA32_MISC_ENABLE, misc & ~MISC_ENABLE_NX_OFF);
	has_nx = cpuid_has_nx();
}

bool paging_has_nx(void)
{
	return has_nx;
}

bool paging_nx_was_hidden(void)
{
	return nx_was_hidden;
}

uint64_t paging_efer(void)
{
	return EFER_LME | EFER_LMA | (has_nx ? EFER_NXE : 0);
}

/* CR4 for the host: required bits, and the protections that this processor has. */
static uint64_t choose_cr4(void)
{
	struct cpuid_regs basic, extended;
	uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cpuid(1, 0, &basic);
	cpuid(0, 0, &extended);
	if (basic.ecx & BIT(26))
		cr4 |= CR4_OSXSAVE;
	if (extended.eax < 7)
		return cr4;
	cpuid(7, 0, &extended);
	if (extended.ebx & BIT(7))
		cr4 |= CR4_SMEP;
	if (extended.ebx & BIT(20))
		cr4 |= CR4_SMAP;
	if (extended.ecx & BIT(2))
		cr4 |= CR4_UMIP;
	return cr4;
}

void paging_load(void)
{
	wrmsr(IA32_EFER, paging_efer());
	/* Write back lines that were cached under the old PAT. */
	asm volatile("wbinvd" : : : "memory");
	wrmsr(IA32_PAT, PAGING_PAT);
	write_cr0(HOST_CR0);
	write_cr3(tables.root);
	write_cr4(host_cr4);
}

/* The lock is held. Without NX the bit is reserved. */
static enum status set_locked(uint64_t start, uint64_t len, uint64_t attr)
{
	return page_table_set(&tables, start, len, has_nx ? attr : attr & ~PT_NX);
}

static enum status set(uint64_t start, uint64_t len, uint64_t attr)
{
	lock_acquire(&paging_lock);
	enum status status = set_locked(start, len, attr);

	lock_release(&paging_lock);
	return status;
}

static bool is_ram(const struct boot_range *range)
{
	return range->use == BOOT_MEM_FREE || range->use == BOOT_MEM_HV;
}

/* Map RAM. Neighbouring ranges become one, so that large pages fit. */
static enum status map_ram(const struct boot_info *info)
{
	uint64_t start = 0, end = 0;

	for (uint32_t i = 0; i < info->n_ranges; i++) {
		const struct boot_range *range = &info->range[i];
		uint64_t range_start = range->start > PAGE_SIZE ? range->start : PAGE_SIZE;

		if (!is_ram(range) || range->start + range->len <= PAGE_SIZE)
			continue;
		if (range_start != end) {
			TRY(set(start, end - start, PT_P | PT_W | PT_NX));
			start = range_start;
		}
		end = range->start + range->len;
	}
	return set(start, end - start, PT_P | PT_W | PT_NX);
}

static enum status map_acpi(const struct boot_info *info)
{
	for (uint32_t i = 0; i < info->n_ranges; i++) {
		const struct boot_range *range = &info->range[i];

		if (range->use == BOOT_MEM_ACPI)
			TRY(set(range->start, range->len, PT_P | PT_NX));
	}
	return OK;
}

static enum status map_image(const struct boot_info *info)
{
	for (uint32_t i = 0; i < info->n_sections; i++) {
		const struct boot_section *section = &info->section[i];
		uint64_t attr = PT_P | (section->write ? PT_W : 0) | (section->exec ? 0 : PT_NX);

		TRY(set(section->start, section->len, attr));
	}
	return OK;
}

/* No page may be both writable and executable. */
static void check_wx(void)
{
	uint64_t virt;

	assert(!has_nx || !page_table_find_wx(&tables, &virt));
}

static enum status map_framebuffers(const struct boot_info *info)
{
	for (uint32_t i = 0; i < info->n_framebuffers; i++) {
		const struct boot_framebuffer *fb = &info->framebuffer[i];

		TRY(paging_map_device(fb->base, (uint64_t)fb->pitch * fb->height, PAGING_WC));
	}
	return OK;
}

enum status paging_init(const struct boot_info *info)
{
	assert(!(read_cr4() & CR4_LA57));
	find_nx();
	/* The trampoline loads CR3 in 32 bits: below 4 GiB, if memory is free there. */
	tables = (struct page_table){.root = frame_alloc_lowest(), .has_1g = has_1g_pages()};
	if (tables.root == 0)
		return ERR_NOMEM;
	TRY(map_ram(info));
	TRY(map_acpi(info));
	TRY(map_image(info));
	TRY(map_framebuffers(info));
	check_wx();
	host_cr4 = choose_cr4();
	paging_load();
	return OK;
}

phys_t paging_root(void)
{
	return tables.root;
}

enum status paging_map_device(phys_t start, uint64_t len, enum paging_cache cache)
{
	uint64_t first = align_down(start, PAGE_SIZE), last;
	uint64_t attr = PT_P | PT_W | PT_NX | (cache & 1 ? PT_PWT : 0) | (cache & 2 ? PT_PCD : 0);

	if (len == 0 || __builtin_add_overflow(start, len - 1, &last) || last >= PT_LIMIT)
		return ERR_RANGE;
	return set(first, align_down(last, PAGE_SIZE) + PAGE_SIZE - first, attr);
}

enum status paging_unmap_page(uint64_t virt)
{
	TRY(set(virt, PAGE_SIZE, 0));
	invlpg(virt);
	return OK;
}

enum status paging_make_code(uint64_t virt)
{
	TRY(set(virt, PAGE_SIZE, PT_P));
	invlpg(virt);
	return OK;
}

enum status paging_make_data(phys_t start, uint64_t len)
{
	lock_acquire(&paging_lock);
	enum status status = set_locked(start, len, PT_P | PT_W | PT_NX);

	/* Release, as in paging_protect(). */
	__atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
	lock_release(&paging_lock);
	paging_sync();
	return status;
}

enum status paging_protect(phys_t start, uint64_t len, bool write)
{
	lock_acquire(&paging_lock);
	enum status status = page_table_set_writable(&tables, start, len, write);

	/* Release: a processor that sees the new generation in paging_sync() sees the entries. */
	if (!write)
		__atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
	lock_release(&paging_lock);
	paging_sync();
	return status;
}

enum status paging_split_ram(const struct boot_info *info)
{
	enum status status = OK;

	lock_acquire(&paging_lock);
	for (uint32_t i = 0; i < info->n_ranges && status == OK; i++)
		if (is_ram(&info->range[i]))
			status =
				page_table_split(&tables, info->range[i].start, info->range[i].len);
	lock_release(&paging_lock);
	return status;
}

void paging_protect_frame(phys_t frame, bool write)
{
	lock_acquire(&paging_lock);
	enum status status = page_table_set_writable(&tables, frame, PAGE_SIZE, write);

	lock_release(&paging_lock);
	assert(status == OK);
}

uint64_t paging_renew(void)
{
	/* Release: as in paging_protect(). */
	uint64_t now = __atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);

	paging_sync();
	return now;
}

bool paging_is_everywhere(uint64_t wanted)
{
	/* Acquire pairs with paging_sync(): what the processor did before has ended. */
	for (unsigned i = 0; i < n_cpus; i++)
		if (__atomic_load_n(&cpus[i]->page_generation, __ATOMIC_ACQUIRE) < wanted)
			return false;
	return true;
}

void paging_sync(void)
{
	uint64_t now = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
	struct cpu *cpu = this_cpu();

	if (cpu->page_generation == now)
		return;
	write_cr3(tables.root);
	__atomic_store_n(&cpu->page_generation, now, __ATOMIC_RELEASE);
}

bool paging_find_wx(uint64_t *ret_virt)
{
	bool found;

	lock_acquire(&paging_lock);
	found = page_table_find_wx(&tables, ret_virt);
	lock_release(&paging_lock);
	return found;
}

bool paging_probe(uint64_t virt, bool write)
{
	uint64_t entry = page_table_walk(&tables, virt, NULL);

	return (entry & PT_P) && (!write || (entry & PT_W));
}

bool paging_fault_is_stale(uint64_t virt, uint64_t error)
{
	if (error & (PAGING_FAULT_FETCH | PAGING_FAULT_RESERVED))
		return false;
	if (tables.root == 0 || !paging_probe(virt, error & PAGING_FAULT_WRITE))
		return false;
	invlpg(virt);
	return true;
}

enum status paging_map_table(phys_t start, uint64_t len)
{
	uint64_t end;

	if (__builtin_add_overflow(start, len, &end) || end > PT_LIMIT)
		return ERR_RANGE;
	for (uint64_t page = align_down(start, PAGE_SIZE); page < end; page += PAGE_SIZE)
		if (!paging_probe(page, false))
			TRY(set(page, PAGE_SIZE, PT_P | PT_NX));
	return OK;
}
