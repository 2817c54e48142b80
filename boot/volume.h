/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

/*
 * Open \stencil\NAME on the volume 'device', which may be NULL; also gives its size in bytes.
 * EFI_NOT_FOUND, or EFI_UNSUPPORTED: there is no such file, or no volume. Prints nothing.
 */
EFI_STATUS volume_open(EFI_HANDLE device, const char *name, EFI_FILE_HANDLE *ret,
		       uint64_t *ret_size);
/* Read 'size' bytes from the file's start on. Prints the progress of a large file under 'name'. */
EFI_STATUS volume_read(EFI_FILE_HANDLE file, const char *name, char *buffer, uint64_t size);
