/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RAMDISK_PARTS_MAX      99
#define RAMDISK_PART_NAME_SIZE 17
#define RAMDISK_PART_ALIGNMENT (UINT64_C(1) << 21)
#define RAMDISK_PARTS_SIZE_MAX (UINT64_C(1) << 52)

/*
 * The files of the ramdisk, joined in memory: each starts at the next multiple of 2 MiB, with zeros
 * before it. So both the parts of one archive join without a gap, if all but the last are whole
 * multiples of 2 MiB, and several archives keep their alignment.
 */
struct ramdisk_parts {
	unsigned n;
	uint64_t start[RAMDISK_PARTS_MAX]; /* bytes from the first part's */
	uint64_t len;			   /* to the end of the last */
};

/*
 * The name of a row's file 'i', from 0: ramdisk.cpio, ramdisk-2.cpio, ramdisk-3.cpio, ... 'row' has
 * at most 8 characters.
 */
void ramdisk_part_name(const char *row, unsigned i, char ret[RAMDISK_PART_NAME_SIZE]);
/* Place one more part. False: there are too many, or together they are too large. */
bool ramdisk_parts_add(struct ramdisk_parts *parts, uint64_t size);
