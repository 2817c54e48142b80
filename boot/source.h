/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/volume.h"

/* The content of a section of the image, or of a file of the volume. */
struct source {
	const char *name; /* of the file in \stencil\ */
	struct volume_file file;
	const char *section; /* NULL: a file */
	uint64_t size;	     /* bytes */
};

/*
 * Open the image's section 'section', or else (also if it is NULL) the file source->name. The time
 * that the firmware takes is added to 'info'. Prints nothing; EFI_NOT_FOUND: neither exists.
 */
EFI_STATUS source_open(const EFI_LOADED_IMAGE *image, const char *section, struct source *source,
		       struct boot_info *info);
/* Read all bytes, check them if they are a file's, and measure them; prints an error. */
EFI_STATUS source_read(const struct source *source, void *buffer, struct boot_info *info);
void source_close(const struct source *source);
