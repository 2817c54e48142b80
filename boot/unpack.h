/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

/* Ticks of the TSC that unpack() has taken. */
extern uint64_t unpack_tsc;

/*
 * Unpack the hypervisor, before anything else runs, even before relocations are applied. If the
 * file is damaged, a line on the firmware's console says so and stays for 15 seconds.
 */
EFI_STATUS unpack(EFI_SYSTEM_TABLE *table);
