/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

/* A file on an ISO 9660 disc. */
struct disc_file {
	EFI_DISK_IO *disk;
	UINT32 media;
	uint64_t start, size; /* bytes */
};

/*
 * Open the file /stencil/NAME of the ISO 9660 disc that holds the volume 'device', which may be
 * NULL. EFI_NOT_FOUND: there is no such file, or no such disc. Prints nothing.
 */
EFI_STATUS disc_open(EFI_HANDLE device, const char *name, struct disc_file *ret);
/* Read 'size' bytes that start 'at' bytes after the file's start. Prints nothing. */
EFI_STATUS disc_read(const struct disc_file *file, uint64_t at, uint64_t size, void *buffer);
