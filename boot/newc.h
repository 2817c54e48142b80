/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * A cpio archive in the newc format that is written member by member, laid out as
 * guest-tools/mkramdisk does: fillers align the files' data, so that Stencil uses them in place.
 */
struct newc {
	uint64_t at; /* bytes so far, with the data of the last member and its padding */
	uint32_t n_members, n_fillers;
};

enum { NEWC_NAME_MAX = 255, NEWC_HEADER_MAX = 110 + NEWC_NAME_MAX + 4 };

/*
 * The header of the next member, a file of less than 4 GiB, into 'ret'; returns its length. Data
 * follow, and newc_padding() zeros. The name has at most NEWC_NAME_MAX bytes.
 */
unsigned newc_add(struct newc *archive, const char *name, uint64_t size, char ret[NEWC_HEADER_MAX]);
unsigned newc_padding(uint64_t size);
/*
 * The header of a filler before a member, whose data are then at a multiple of 4 KiB, or if they
 * fill a large page, of 2 MiB. '*ret_size' zeros follow. Returns 0 if none is needed.
 */
unsigned newc_add_filler(struct newc *archive, const char *name, uint64_t size,
			 char ret[NEWC_HEADER_MAX], uint64_t *ret_size);
/* The header of the end. */
unsigned newc_end(struct newc *archive, char ret[NEWC_HEADER_MAX]);
