/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The firmware may use 5-level page tables, the hypervisor always uses 4 levels. Before
 * ExitBootServices(): allocate what the change needs, if there is one to make.
 */
EFI_STATUS levels_prepare(void);

/* Whether there is one: then page tables must lie below 4 GiB, because 32-bit code loads them. */
bool levels_must_change(void);

/*
 * Disable interrupts and load page tables of 4 levels that map all memory at its own address, with
 * all permissions.
 */
void levels_load(uint64_t root);
