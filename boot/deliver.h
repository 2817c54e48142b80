/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"

/*
 * Write the files that the last run has left in memory, if there are any, into an archive on the
 * server that the configuration names, or on the volume that the image was started from. Files that
 * did not survive are reported and left out. If the last run was to end with that, switch the
 * machine off, else return.
 */
void deliver(const EFI_LOADED_IMAGE *image, struct boot_info *info);
