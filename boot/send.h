/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"
#include "boot/net.h"
#include "boot/parcel.h"

/*
 * Send the parcel's files, except those of 0 bytes, as an archive to the machine's own folder of
 * the server, under the first name that is free. Prints errors.
 */
EFI_STATUS send_files(const struct net *net, struct boot_info *info, const struct parcel *parcel,
		      const struct parcel_file *table);
