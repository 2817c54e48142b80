/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * The firmware's services, and their information about the machine. Only callable before
 * ExitBootServices().
 */
extern EFI_SYSTEM_TABLE *firmware;

/*
 * Print one line, "stencil: TEXT: STATUS", on the firmware's console and return
 * 'status'. 'format' as for gnu-efi's Print().
 */
EFI_STATUS firmware_fail(EFI_STATUS status, const CHAR16 *format, ...);

/*
 * Print one line, "stencil: TEXT", on the firmware's console, and count the time in
 * info->firmware_io_tsc.
 */
void firmware_say(struct boot_info *info, const CHAR16 *format, ...);

/* A file of this size takes long to read, to hash or to measure: show what is done. */
#define LARGE_FILE (UINT64_C(64) << 20)

/* Show how much of 'what' is done, "reading", over what was shown before; total > 0. */
void firmware_show_progress(const CHAR16 *doing, const char *what, uint64_t done, uint64_t total);

/*
 * Keep the firmware's screen as it is until a key is pressed, 15 seconds at most. 'purpose' says
 * what the key is for.
 */
void firmware_wait_for_key(struct boot_info *info, const CHAR16 *purpose);

/*
 * Whole pages that stay ours after ExitBootServices(), contents undefined. 'what'
 * names them in the message when there are none.
 */
EFI_STATUS firmware_alloc(const CHAR16 *what, uint64_t size, void **ret);
/* The same, at addresses below 'limit'. */
EFI_STATUS firmware_alloc_below(const CHAR16 *what, uint64_t size, uint64_t limit, void **ret);
/*
 * The same at a 2 MiB boundary, but in memory that is free after ExitBootServices(). The caller
 * passes the block that it keeps to memory_map_build().
 */
EFI_STATUS firmware_alloc_2mib(const CHAR16 *what, uint64_t size, void **ret);
/* Free one allocation. */
void firmware_free(void *start);
/* Free all allocations, before returning to the firmware. */
void firmware_free_all(void);

/*
 * Find ACPI tables, frame buffers, clock and power-off; a missing one stays 0 in 'info'. Without a
 * frame buffer, the firmware's console says so.
 */
void firmware_describe(struct boot_info *info);
/*
 * List the processors that EFI MP services know, for machines without a MADT. Fails only if there
 * are no ACPI tables either.
 */
EFI_STATUS firmware_list_cpus(struct boot_info *info);
