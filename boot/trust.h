/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"

/*
 * Note what files may be used. An image with a section .hashes is locked: it takes the files that
 * the section lists, if their hashes are the same, and no others. While Secure Boot is on, an
 * image without the section takes no files at all. Sections of the image need no check, because
 * the firmware has checked its signature.
 */
void trust_init(const EFI_LOADED_IMAGE *image);

/* A file under the name that a list of hashes has for it: of \stencil\NAME, or "fetch/NAME". */
struct trust_file {
	const char *name;
	const char *place; /* path or URL, for messages */
};

/*
 * Whether the file with these bytes may be used; prints a refusal, and for a large file first what
 * takes so long.
 */
EFI_STATUS trust_check(struct boot_info *info, const struct trust_file *file, const void *data,
		       uint64_t size);
/* Whether files may be used that the image does not list: it is not locked, and Secure Boot is off.
 */
bool trust_takes_any(void);
/* Whether the image is locked to the file of that name, which must therefore exist. */
bool trust_requires(const char *name);
/* Whether the image is locked to other files, so that this one need not be looked for. */
bool trust_skips(const char *name);
