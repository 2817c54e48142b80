/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * The firmware's services and what they tell about the machine. Everything here
 * is for the time before ExitBootServices().
 */
extern EFI_SYSTEM_TABLE *firmware;

/*
 * Say one line, "stencil: TEXT: STATUS", on the firmware's console and return
 * 'status'. 'format' as for gnu-efi's Print().
 */
EFI_STATUS firmware_fail(EFI_STATUS status, const CHAR16 *format, ...);

/*
 * Whole pages that stay ours after ExitBootServices(), contents undefined. 'what'
 * names them in the message when there are none.
 */
EFI_STATUS firmware_alloc(const CHAR16 *what, uint64_t size, void **ret);
/*
 * The same at a 2 MiB boundary, but in memory that is free after ExitBootServices(),
 * with what was needed to get there: whoever keeps the block says so to
 * memory_map_build().
 */
EFI_STATUS firmware_alloc_2mib(const CHAR16 *what, uint64_t size, void **ret);
/* One page below 1 MiB, not the first. */
EFI_STATUS firmware_alloc_low(uint64_t *ret);
/* Give one allocation back. */
void firmware_free(void *start);
/* Give everything back, before returning to the firmware. */
void firmware_free_all(void);

/* ACPI tables, frame buffer, clock, power-off: what is not there stays 0 in 'info'. */
void firmware_describe(struct boot_info *info);
/* The processors, if there is no ACPI to tell them. */
EFI_STATUS firmware_list_cpus(struct boot_info *info);
