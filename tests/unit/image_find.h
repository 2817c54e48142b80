/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"

/* The file 'path'; NULL: there is none. */
static inline struct image *image_find(struct image *list, const char *path)
{
	struct image *image = NULL;

	if (image_lookup(list, path, &image) != IMAGE_OK || image == NULL)
		return NULL;
	return image->type == IMAGE_FILE ? image : NULL;
}
