/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"

/* The end of the addresses that hv/ can map. */
#define FRAMEBUFFER_LIMIT (UINT64_C(1) << 47)

/*
 * Add a frame buffer to the list, unless it has no address or no pixels, lies where it cannot be
 * mapped, is already there (firmware may offer one screen twice), or the list is full. True if it
 * was added.
 */
bool framebuffer_add(struct boot_info *info, const struct boot_framebuffer *fb);
