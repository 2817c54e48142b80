/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/backends/image.h"
#include "hv/frame/phys.h"

/*
 * The directory /d in which the tables of tests/data were measured, as entries of a ramdisk, and an
 * empty kernel. Large files have no bytes: nothing may read them.
 */
static const struct image ramdisk_initial[] = {
	{.path = "/d", .type = IMAGE_DIRECTORY, .mode = 0755},
	{.path = "/k", .mode = 0644},
	{.path = "/d/f32", .mode = 0644, .base = GIB(1), .size = MIB(32), .aligned = true},
	{.path = "/d/f8", .mode = 0644, .base = GIB(2), .size = MIB(8), .aligned = true},
	{.path = "/d/f2g", .mode = 0644, .base = GIB(8), .size = GIB(2), .aligned = true},
	{.path = "/d/odd5000", .mode = 0644, .base = GIB(3), .size = 5000, .aligned = true},
	{.path = "/d/empty", .mode = 0644},
	{.path = "/d/dir", .type = IMAGE_DIRECTORY, .mode = 0755},
	{.path = "/d/a,b/f", .mode = 0644, .base = GIB(4), .size = MIB(1), .aligned = true},
	{.path = "/d/x=y", .mode = 0644, .base = GIB(5), .size = MIB(1), .aligned = true},
	{.path = "/d/link", .type = IMAGE_SYMLINK, .mode = 0777, .size = 3},
	{.path = "/d/dangling", .type = IMAGE_SYMLINK, .mode = 0777, .size = 7},
	{.path = "/d/fifo", .type = IMAGE_SPECIAL, .mode = 0644},
	{.path = "/d/ro0444", .mode = 0444, .base = GIB(6), .size = MIB(32), .aligned = true},
	{.path = "/d/no0000", .mode = 0000, .base = GIB(7), .size = MIB(32), .aligned = true},
};
static struct image ramdisk_files[ARRAY_SIZE(ramdisk_initial)];

/* The files in their initial state. */
static struct image *ramdisk_list(void)
{
	static char link[] = "f32", dangling[] = "nowhere";

	memcpy(ramdisk_files, ramdisk_initial, sizeof(ramdisk_files));
	for (size_t i = 0; i < ARRAY_SIZE(ramdisk_files); i++) {
		struct image *image = &ramdisk_files[i];

		image->next = i + 1 < ARRAY_SIZE(ramdisk_files) ? image + 1 : NULL;
		if (strcmp(image->path, "/d/link") == 0)
			image->base = virt_to_phys(link);
		if (strcmp(image->path, "/d/dangling") == 0)
			image->base = virt_to_phys(dangling);
	}
	return ramdisk_files;
}
