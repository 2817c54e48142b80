/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"
#include "hv/lib/types.h"

/* The highest free page below 1 MiB, where a processor can start; 0: there is none. */
phys_t low_page_find(const struct boot_range *ranges, uint32_t n);
