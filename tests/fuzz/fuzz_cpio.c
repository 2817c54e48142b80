/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ramdisk; the first one selects its alignment. All entries must be inside the
 * ramdisk, every path must be found again, and every file must survive being moved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/backends/cpio.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "tests/fuzz/fuzz_frames.h"
#include "tests/unit/support.h"

static void check_file(struct image *image)
{
	uint64_t sum = image_checksum(image);
	bool aligned = image->aligned;

	if (image->size > FUZZ_MEMORY)
		return;
	fuzz_frames_reset();
	assert(image_align(&(struct image_list){0}, image) == OK && sum == image_checksum(image));
	assert(image->size == 0 || (image->aligned && is_aligned(image->base, PAGE_SIZE)));
	assert(image->moved == (!aligned && image->size > 0));
}

/* A file created below the entry is found, and is gone after it is removed. */
static void check_create(struct image_list *list, const struct image *entry)
{
	struct image *made, *found;
	char path[4200];

	if (strlen(entry->path) > 4096)
		return;
	sprintf(path, "%s/made", entry->path);
	if (image_create(list, path, &made) != IMAGE_OK)
		return;
	assert(image_lookup(list->first, path, &found) == IMAGE_OK && found == made);
	image_remove(list, made);
	assert(image_lookup(list->first, path, &found) == IMAGE_NOT_FOUND);
}

static void check_list(struct image *list, struct arena *arena, phys_t base, uint64_t len)
{
	struct image_list entries = {.first = list, .arena = arena};
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
		check_create(&entries, image);
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
	char *text = malloc(shift + len); /* ends with the data, so that ASan checks the end */
	struct image *list = NULL;
	enum status status;
	phys_t base;

	if (text == NULL)
		return 0;
	memcpy(text + shift, data + (size > 0), len);
	base = virt_to_phys(text) + shift;
	log_reset();
	status = ramdisk_open(base, len, &arena, &diag, &list);
	assert((status == OK) == (diag.n_errors == 0));
	if (status == OK)
		check_list(list, &arena, base, len);
	else
		assert(strstr(logged, "ramdisk: offset 0x") != NULL);
	free(text);
	return 0;
}
