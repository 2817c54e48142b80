/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "hv/backends/backend_open.h"
#include "hv/config/dimm_place.h"
#include "hv/config/layout.h"
#include "hv/config/read.h"
#include "hv/vm/vm.h"

#include "tests/unit/platform_parts.h"

/*
 * A hosted VM of a line of the configuration, with devices and a tree that has no memory yet: as
 * much of one as commands for memory need. frame_alloc() has frames. To be called once.
 */

/* The ramdisk: /d/f32 and /d/f8, of as many MiB. */
static struct image_list running_images;

static inline void running_make_file(struct image *file, const char *path, uint64_t size)
{
	*file = (struct image){.path = path,
			       .type = IMAGE_FILE,
			       .mode = 0644,
			       .base = frame_alloc_run(size / PAGE_SIZE, MIB(2)),
			       .size = size,
			       .aligned = true};
	if (file->base == 0)
		abort();
}

static inline struct vm_config *running_read(const char *line)
{
	static char memory[MIB(1)] __attribute__((aligned(16)));
	static struct arena arena = {.base = memory, .size = sizeof(memory)};
	static struct image files[2];
	static struct config config;
	struct diag diag = {.file = "line"};

	running_make_file(&files[0], "/d/f32", MIB(32));
	running_make_file(&files[1], "/d/f8", MIB(8));
	files[0].next = &files[1];
	running_images = (struct image_list){.first = files, .arena = &arena};
	if (config_parse(line, strlen(line), &arena, &diag, &config) != OK)
		abort();
	for (struct backend *b = config.vms->backends; b != NULL; b = b->next)
		if (backend_open(b, &running_images, &diag) != OK)
			abort();
	if (config_place_memory(config.vms, config.phys_bits, &diag) != OK)
		abort();
	return config.vms;
}

/* A copy of 'like' that the line configures. */
static inline struct vm *running_make(const struct vm *like, const char *line)
{
	static struct platform_wiring wiring;
	static struct mem_map map;
	struct vm_config *config = running_read(line);
	const struct platform_extras extras = {.n_slots = config->dimm_slots & 0x1ff};
	struct vm *vm = calloc(1, offsetof(struct vm, platform) + platform_whole_size(1, extras));

	platform_place_parts(&vm->platform, 1, extras);
	memcpy(vm, like, offsetof(struct vm, platform));
	vm->config = config;
	vm->mem = &map;
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &map};
	if (memory_layout(config, &map) != OK || ept_setup() != OK ||
	    ept_init(&vm->ept, 2, EPT_UNLIMITED) != OK ||
	    platform_init(&vm->platform, &wiring,
			  &(struct platform_config){.topology = &config->topology,
						    .phys_bits = 46,
						    .tsc_hz = 1000000000,
						    .extras = extras}) != OK)
		abort();
	return vm;
}
