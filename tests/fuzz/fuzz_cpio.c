/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ramdisk, the first of them saying how it is aligned. All entries that are found
 * must lie inside it, every path be found again, and every file survive being moved.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/assert.h"
#include "hv/backends/cpio.h"
#include "hv/frame.h"
#include "hv/phys.h"
#include "tests/unit/support.h"

static void *moved;

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	moved = aligned_alloc(align, n_frames * PAGE_SIZE);
	return virt_to_phys(moved);
}

static void check_file(struct image *image)
{
	uint64_t sum = image_checksum(image);
	bool aligned = image->aligned;

	if (image->size > MIB(1))
		return;
	assert(image_align(image) == OK && sum == image_checksum(image));
	assert(image->size == 0 || (image->aligned && is_aligned(image->base, PAGE_SIZE)));
	assert(image->moved == (!aligned && image->size > 0));
	free(moved);
	moved = NULL;
}

static void check_list(struct image *list, phys_t base, uint64_t len)
{
	struct image *found;

	for (struct image *image = list; image != NULL; image = image->next) {
		assert(image->path[0] == '/' && strstr(image->path, "/../") == NULL);
		assert(image->target == NULL || image->target->target == NULL);
		if (image->target != NULL)
			continue;
		assert(image->base >= base && image->base - base <= len);
		assert(image->size <= len - (image->base - base));
	}
	for (struct image *image = list; image != NULL; image = image->next) {
		enum image_error error = image_lookup(list, image->path, &found);

		assert(error != IMAGE_OK || found == NULL || found->type != IMAGE_SYMLINK);
		(void)image_lookup_parent(list, image->path);
	}
	for (struct image *image = list; image != NULL; image = image->next) {
		if (image->type == IMAGE_FILE && image->target == NULL)
			check_file(image);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[1 << 18] __attribute__((aligned(16)));
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "f"};
	size_t shift = size > 0 ? data[0] % 16 : 0, len = size > 0 ? size - 1 : 0;
	char *text = malloc(shift + len); /* ends with the data, so that ASan sees it */
	struct image *list = NULL;
	enum status status;
	phys_t base;

	if (text == NULL)
		return 0;
	memcpy(text + shift, data + (size > 0), len);
	base = virt_to_phys(text) + shift;
	log_reset();
	status = ramdisk_open(base, len, len, &arena, &diag, &list);
	assert((status == OK) == (diag.n_errors == 0));
	if (status == OK)
		check_list(list, base, len);
	else
		assert(strstr(logged, "ramdisk: offset 0x") != NULL);
	free(text);
	return 0;
}
