/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * Complete 'info' (stack, page tables, memory map), exit boot services and call hv_main().
 * Returns only after a failure, which it has printed.
 */
EFI_STATUS handover(EFI_HANDLE image, struct boot_info *info);
