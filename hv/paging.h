/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/status.h"
#include "hv/types.h"

/* PAT as every processor has it: write-back, write-combining, UC-, UC, twice; for VMCS host state.
 */
#define PAGING_PAT UINT64_C(0x0007010600070106)

enum paging_cache { PAGING_WB = 0, PAGING_WC = 1, PAGING_UC = 3 }; /* places in the PAT */

/*
 * Build our page tables and switch to them: RAM at its own address, NX but for
 * our image's code, nothing at page 0, no page writable and executable. A failure
 * is a panic. Needs the frames. RAM of [info->range] the firmware keeps is left out.
 */
void paging_init(const struct boot_info *info);

/* Load CR3, PAT, CR0, CR4 and EFER of the boot processor on another one. */
void paging_load(void);

/* The CR3 of all processors. */
phys_t paging_root(void);

/* Map device registers at their own address, writable. May be called again for the same pages. */
enum status paging_map_device(phys_t start, uint64_t len, enum paging_cache cache);

/* Take one page away: guard pages. */
enum status paging_unmap_page(uint64_t virt);

/*
 * Make frames that are mapped writable or read-only for us. Whole pages. Taking the
 * right away is complete on another processor with its next paging_sync(); giving it is complete at
 * once. ERR_NOMEM: a large page could not be split, part of the range may be changed.
 */
enum status paging_protect(phys_t start, uint64_t len, bool write);

/* Drop old translations if tables changed since the last time; for the run loop, cheap. */
void paging_sync(void);

/* True if 'virt' is mapped, writable if 'write'. */
bool paging_probe(uint64_t virt, bool write);

/* For the #PF handler: true if the tables allow the access by now, the old translation is then
 * dropped. */
bool paging_fault_is_stale(uint64_t virt, uint64_t error);

/* Panic unless every page is at most one of writable and executable. */
void paging_check_wx(void);
