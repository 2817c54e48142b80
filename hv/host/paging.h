/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* The PAT of every processor, also in VMCS host state: WB, WC, UC-, UC, twice. */
#define PAGING_PAT UINT64_C(0x0007010600070106)

/* Error code of #PF. */
enum {
	PAGING_FAULT_PRESENT = 1 << 0,
	PAGING_FAULT_WRITE = 1 << 1,
	PAGING_FAULT_RESERVED = 1 << 3,
	PAGING_FAULT_FETCH = 1 << 4
};

enum paging_cache { PAGING_WB = 0, PAGING_WC = 1, PAGING_UC = 3 }; /* indices in the PAT */

/*
 * Build our page tables and switch to them: RAM at its own address, NX except our image's code,
 * page 0 unmapped, no page both writable and executable. Memory that the firmware keeps is left
 * out, except ACPI tables. Needs the frames. A processor without NX executes
 * all that it can read. ERR_NOMEM: no frame for a table.
 */
enum status paging_init(const struct boot_info *info);

/* Load EFER, PAT, CR0, CR4 and CR3 on another processor, as the boot processor has them. */
void paging_load(void);

/* Constant after paging_init(). */
bool paging_has_nx(void);
/* Whether the firmware had hidden NX: it has to be unhidden on each processor. */
bool paging_nx_was_hidden(void);

/* The EFER of all processors. */
uint64_t paging_efer(void);

/* The CR3 of all processors. */
phys_t paging_root(void);

/* Map device registers at their own address, writable. May be called again for the same pages. */
enum status paging_map_device(phys_t start, uint64_t len, enum paging_cache cache);

/* Unmap one page, as a guard page. */
enum status paging_unmap_page(uint64_t virt);

/* Map one page as code, for the trampoline. */
enum status paging_make_code(uint64_t virt);

/*
 * Make code or constants data, for other use of their frames. Whole pages. Complete on another
 * processor with its next paging_sync(). ERR_NOMEM: a large page could not be split. Takes the
 * paging lock, and the frames lock inside.
 */
enum status paging_make_data(phys_t start, uint64_t len);

/*
 * Map frames that are already mapped writable or read-only. Whole pages. On another processor,
 * taking the right away is complete with its next paging_sync(); giving it is complete immediately.
 * ERR_NOMEM: a large page could not be split, the end of the range is unchanged.
 * Takes the paging lock, and the frames lock inside.
 */
enum status paging_protect(phys_t start, uint64_t len, bool write);

/*
 * Map all RAM by pages of 4 KiB, which takes 0.2 % of it, for paging_protect_frame(). ERR_NOMEM: it
 * is mapped as before, with more tables.
 */
enum status paging_split_ram(const struct boot_info *info);
/* After paging_split_ram(): map a frame writable or not. Complete with paging_renew(). */
void paging_protect_frame(phys_t frame, bool write);

/*
 * Let each processor drop its translations in its next paging_sync(). Returns what to ask
 * paging_is_everywhere() for, which tells when all have done so.
 */
uint64_t paging_renew(void);
bool paging_is_everywhere(uint64_t wanted);

/* Map [start, start + len) for reading, where it is not mapped. ERR_RANGE, ERR_NOMEM. */
enum status paging_map_table(phys_t start, uint64_t len);

/* Drop old translations if rights were taken away since the last call. Cheap, for the run loop. */
void paging_sync(void);

/* The first page that is both writable and executable. False: there is none, as must be. */
bool paging_find_wx(uint64_t *ret_virt);

/* True if 'virt' is mapped, and writable if 'write'. Takes no lock. */
bool paging_probe(uint64_t virt, bool write);

/* For the #PF handler: true if the tables allow the access; the stale translation is dropped. */
bool paging_fault_is_stale(uint64_t virt, uint64_t error);
