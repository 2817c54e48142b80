/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/parcel.h"

/* Where the bytes of an archive go, in order. */
struct archive_sink {
	EFI_STATUS (*append)(struct archive_sink *sink, const void *data, uint64_t size);
};

/*
 * Write a cpio archive of the parcel's files, except those of 0 bytes, as guest-tools/mkramdisk
 * does. Prints nothing. EFI_OUT_OF_RESOURCES, or an error of the sink.
 */
EFI_STATUS archive_write(const struct parcel *parcel, const struct parcel_file *table,
			 struct archive_sink *sink, uint64_t *ret_size);
