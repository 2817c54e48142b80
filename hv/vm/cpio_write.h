/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Writes archives of the format newc: entry after entry, each a head and its data. All numbers of
 * an entry that differ from run to run are zero.
 */
struct cpio_entry {
	uint32_t inode;
	bool is_folder;
	const char *name;
	uint64_t size; /* of the data; bytes */
};

/* Bytes of an entry in the archive, by the length of its name and its data. */
uint64_t cpio_entry_size(size_t name_len, uint64_t size);
/* Write the head. Returns its length. The data follow, and cpio_write_end(). */
size_t cpio_write_head(char *to, const struct cpio_entry *entry);
/* Write what follows data of that size. Returns its length. */
size_t cpio_write_end(char *to, uint64_t size);

/* Write the end of an archive of 'size' bytes. Returns its length, at most CPIO_TRAILER_MAX. */
#define CPIO_TRAILER_MAX 1024
size_t cpio_write_trailer(char *to, uint64_t size);
