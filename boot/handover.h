/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * Complete 'info' (stack, page tables, memory map), end the firmware's rule and
 * call hv_main(). Returns only if that failed, which has then been said.
 */
EFI_STATUS handover(EFI_HANDLE image, struct boot_info *info);
