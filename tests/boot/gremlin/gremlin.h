/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdbool.h>

/*
 * Each function does one mischief; 'number' is what the word gives after "=", 0 if nothing.
 * Memory stays allocated unless the function says otherwise. An error ends the run before
 * Stencil starts.
 */

/* memory.c */
EFI_STATUS low_boot_services(UINTN number);
EFI_STATUS low_reserved(UINTN number);
EFI_STATUS holes(UINTN number);
EFI_STATUS take_below_4gib(UINTN number);
EFI_STATUS give_below_4gib(UINTN number);
EFI_STATUS refuse_exit(UINTN number);

/* screen.c */
EFI_STATUS ram_screen(UINTN number);

/* services.c */
EFI_STATUS no_gop(UINTN number);
EFI_STATUS set_width(UINTN number);
EFI_STATUS reset_faults(UINTN number);
EFI_STATUS reset_spins(UINTN number);
EFI_STATUS no_con_out(UINTN number);
EFI_STATUS bad_checksums(UINTN number);
EFI_STATUS no_s5(UINTN number);
EFI_STATUS legacy_power(UINTN number);
EFI_STATUS arm_watchdog(UINTN number);

/* levels.c: the firmware itself has four levels while it stops its other processors. */
EFI_STATUS la57(UINTN number);

/* files.c: for all volumes. */
EFI_STATUS short_reads(UINTN number);
EFI_STATUS read_limit(UINTN number);

/*
 * la57.asm: continue with other page tables and another value of CR4.LA57; 'cr3' is their root.
 * Code, stack and root are below 4 GiB, and both tables map them one to one.
 */
void la57_switch(UINT64 cr3, UINT64 cr4);
