/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ISO9660_SECTOR	      UINT64_C(2048) /* bytes */
#define ISO9660_DESCRIPTOR_AT (16 * ISO9660_SECTOR)

/* A file's or directory's place on the disc, in bytes. */
struct iso9660_extent {
	uint64_t start, size;
	bool directory;
};

/*
 * Find the root directory in the primary volume descriptor, the sector at ISO9660_DESCRIPTOR_AT.
 * False: the disc is not an ISO 9660 disc with blocks of 2048 bytes.
 */
bool iso9660_root(const uint8_t sector[ISO9660_SECTOR], struct iso9660_extent *ret);
/*
 * Find an entry of a directory in one of its sectors, by its Rock Ridge name, or without one by
 * its ISO 9660 name in lower case and without version. False: the sector does not have it, or the
 * file is in several pieces.
 */
bool iso9660_find(const uint8_t sector[ISO9660_SECTOR], const char *name,
		  struct iso9660_extent *ret);
