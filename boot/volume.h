/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/disc.h"

/* A file of a volume, or of the ISO 9660 disc that the volume is a part of. */
struct volume_file {
	EFI_FILE_HANDLE handle; /* NULL: not opened, or the disc's */
	struct disc_file disc;
	uint64_t size; /* bytes */
};

/*
 * Open \stencil\NAME on the volume 'device', which may be NULL, or else on its disc. EFI_NOT_FOUND:
 * there is no such file. Prints nothing.
 */
EFI_STATUS volume_open(EFI_HANDLE device, const char *name, struct volume_file *ret);
/* Read the whole file. Prints the progress of a large one under 'name'. */
EFI_STATUS volume_read(const struct volume_file *file, const char *name, char *buffer);
void volume_close(const struct volume_file *file);

/*
 * Create \stencil\NAME, which does not exist, on the volume 'device', and the folder if need be. A
 * file is written from its start to its end, and then finished or deleted; both close it.
 */
EFI_STATUS volume_create(EFI_HANDLE device, const char *name, struct volume_file *ret);
EFI_STATUS volume_append(struct volume_file *file, const void *data, uint64_t size);
EFI_STATUS volume_finish(const struct volume_file *file);
void volume_delete(const struct volume_file *file);
