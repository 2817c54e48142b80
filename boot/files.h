/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * Find configuration and ramdisk: the sections .config and .ramdisk of the running image, or
 * \stencil\stencil.conf and \stencil\ramdisk.cpio (-2, -3 ...) on its volume, or what a server
 * has for the machine. The ramdisk may be missing. First the last run's files are delivered to
 * \stencil\handover.cpio (-2, ...), which are parts of the ramdisk from then on, or to the server.
 * Fills config, ramdisk and firmware_io_tsc of 'info'; prints an error.
 */
EFI_STATUS files_load(EFI_LOADED_IMAGE *image, struct boot_info *info);
