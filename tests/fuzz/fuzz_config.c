/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a configuration, opened over a small ramdisk. A refusal must have a message; an
 * accepted configuration must keep its promises.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/config/read.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "tests/fuzz/fuzz_frames.h"
#include "tests/unit/support.h"

static char page[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static char loop[] = "loop", up[] = "../t.mem";

static const struct image initial[] = {
	{.path = "/t.mem", .mode = 0644, .size = sizeof(page), .aligned = true},
	{.path = "/odd", .mode = 0444, .size = 5000},
	{.path = "/d", .type = IMAGE_DIRECTORY, .mode = 0755},
	{.path = "/d/link", .type = IMAGE_SYMLINK, .mode = 0777, .size = sizeof(up) - 1},
	{.path = "/loop", .type = IMAGE_SYMLINK, .mode = 0777, .size = sizeof(loop) - 1},
	{.path = "/k", .mode = 0644},
	{.path = "/fifo", .type = IMAGE_SPECIAL, .mode = 0644},
};
static struct image images[ARRAY_SIZE(initial)];

static struct image *image_list(void)
{
	memcpy(images, initial, sizeof(images));
	images[0].base = images[1].base = virt_to_phys(page);
	images[3].base = virt_to_phys(up);
	images[4].base = virt_to_phys(loop);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(images); i++)
		images[i].next = &images[i + 1];
	return images;
}

static void check_vm(const struct vm_config *vm)
{
	assert(vm->name != NULL && vm->kernel != NULL);
	for (const struct backend *b = vm->backends; b != NULL; b = b->next) {
		assert(!b->broken && b->size > 0 && (b->kind == MEM_COW || b->image != NULL));
		if (b->image != NULL)
			assert(b->image->aligned && b->offset <= b->image->size &&
			       b->size <= b->image->size - b->offset);
	}
	for (const struct dimm_config *d = vm->dimms; d != NULL; d = d->next) {
		assert(!d->broken && d->addr >= GIB(4) && d->backend->busy);
		for (const struct dimm_config *e = d->next; e != NULL; e = e->next)
			assert(e->slot != d->slot &&
			       (e->addr >= d->addr + d->size || d->addr >= e->addr + e->size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[1 << 17] __attribute__((aligned(16)));
	/* The first byte may make memory scarce. */
	size_t arena_size = size > 0 && data[0] == '#' ? 2048 : sizeof(memory);
	struct arena arena = {.base = memory, .size = arena_size};
	char *text = malloc(size + 1); /* of its own, so that ASan checks its ends */
	struct diag diag = {.file = "f"};
	enum status status, opened;
	struct image_list list;
	struct config config;

	assert(text != NULL);
	memcpy(text, data, size);
	fuzz_frames_reset();
	log_reset();
	status = config_parse(text, size, &arena, &diag, &config);
	assert((status == OK) == (diag.n_errors == 0) && (status == OK || logged[0] != '\0'));
	list = (struct image_list){image_list(), &arena};
	opened = status != ERR_NOMEM ? config_open(&config, &list, &diag) : status;
	if (status == OK && opened == OK) {
		for (const struct vm_config *vm = config.vms; vm != NULL; vm = vm->next)
			check_vm(vm);
	}
	free(text);
	return 0;
}
