/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names and places of the ramdisk's files. FAT cannot hold a file of 4 GiB, so that a larger
 * ramdisk is several files, which scripts/mkimage cuts at multiples of 2 MiB.
 */
#include "boot/ramdisk_parts.h"

static char *append(char *out, const char *text)
{
	while (*text != '\0')
		*out++ = *text++;
	return out;
}

void ramdisk_part_name(const char *row, unsigned i, char ret[RAMDISK_PART_NAME_SIZE])
{
	char *out = append(ret, row);
	unsigned number = i + 1;

	if (number > 1)
		*out++ = '-';
	if (number >= 10)
		*out++ = (char)('0' + number / 10 % 10);
	if (number > 1)
		*out++ = (char)('0' + number % 10);
	out = append(out, ".cpio");
	*out = '\0';
}

bool ramdisk_parts_add(struct ramdisk_parts *parts, uint64_t size)
{
	uint64_t start = (parts->len + RAMDISK_PART_ALIGNMENT - 1) & -RAMDISK_PART_ALIGNMENT;

	if (parts->n == RAMDISK_PARTS_MAX || size > RAMDISK_PARTS_SIZE_MAX - start)
		return false;
	parts->start[parts->n++] = start;
	parts->len = start + size;
	return true;
}
