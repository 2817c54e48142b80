/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/net.h"
#include "boot/volume.h"

#define SOURCE_FETCHED "fetch/"
/* Of a fetched file: prefix, own folder, and a name like that of a part of the ramdisk. */
enum { SOURCE_NAME_SIZE = 64 };

/* The content of a section of the image, or of a file of the volume or of a server. */
struct source {
	const char *name; /* of the file in \stencil\; "fetch/NAME": of a file below the URL */
	struct volume_file file;
	const char *section;		/* NULL: a file */
	const struct net *net;		/* NULL: not fetched */
	char fetched[SOURCE_NAME_SIZE]; /* the name of a fetched file */
	uint64_t size;			/* bytes */
};

/*
 * Open the image's section 'section', or else (also if it is NULL) the file source->name. The time
 * that the firmware takes is added to 'info'. Prints nothing; EFI_NOT_FOUND: neither exists.
 */
EFI_STATUS source_open(const EFI_LOADED_IMAGE *image, const char *section, struct source *source,
		       struct boot_info *info);
/*
 * Open 'file' in a folder of the server, the machine's own or "". EFI_NOT_FOUND: there is none; all
 * other errors are printed.
 */
EFI_STATUS source_fetch(const struct net *net, const char *folder, const char *file,
			struct source *source, struct boot_info *info);
/* Read all bytes, and check them if they are a file's; prints an error. */
EFI_STATUS source_read(const struct source *source, void *buffer, struct boot_info *info);
void source_close(const struct source *source);
