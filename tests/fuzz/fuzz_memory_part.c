/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the blocks of a part of saved memory, whose checksums are always right. What is read
 * goes into a small VM, with few frames, and nowhere else; of what is refused there is a reason.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/guest/memory_pack.h"
#include "hv/guest/region_map.h"
#include "hv/lib/assert.h"
#include "hv/lib/crc32.h" /* crc32_add(), which is replaced here */
#include "tests/unit/support.h"

#define FRAMES	   MIB(2)
#define N_FRAMES   1024
#define MEMORY	   MIB(4)
#define HIGH	   GIB(4)
#define FRAMES_MAX 64 /* of the VM */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct backend ram = {.id = "ram", .size = MEMORY};
static struct ept ept;
static struct mem_map map;

uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
	(void)crc;
	(void)data;
	(void)len;
	return 0;
}

/* Half of the memory is above 4 GiB. */
static void make_vm(void)
{
	struct mem_region region = {.len = MEMORY / 2, .kind = MEM_COW, .backend = &ram};

	if (map.n == 0) {
		phys_arena(FRAMES, N_FRAMES * PAGE_SIZE);
		frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
		assert(ept_setup() == OK && mem_map_add(&map, &region) == OK);
		region.gpa = (gpa_t){HIGH};
		region.offset = MEMORY / 2;
		assert(mem_map_add(&map, &region) == OK);
	}
	assert(ept_init(&ept, 1, FRAMES_MAX) == OK);
	for (size_t i = 0; i < map.n; i++)
		assert(region_map(&ept, &map.region[i]) == OK);
}

/* The bytes behind a head. */
static uint8_t *make_part(const uint8_t *data, size_t size)
{
	uint8_t *part = malloc(PART_HEAD_SIZE + size);

	assert(part != NULL);
	part_put_head(part, 1, 0);
	memcpy(part + PART_HEAD_SIZE, data, size);
	return part;
}

static enum status unpack_part(struct memory_unpack *to, const void *data, size_t len)
{
	enum status status = memory_unpack_open(to, data, len);

	while (status == OK && !to->reader.is_at_end)
		status = memory_unpack_some(to);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t pages[BLOCK_MAX];
	struct guest_memory memory = {.ept = &ept, .map = &map};
	struct memory_unpack unpack = {.memory = &memory, .pages = pages, .id = 1};
	uint8_t *part = make_part(data, size);
	enum status status;

	make_vm();
	unpack.is_layer = size % 2;
	status = unpack_part(&unpack, part, PART_HEAD_SIZE + size);
	if (status == OK)
		status = memory_unpack_end(&unpack);
	assert(status == OK || status == ERR_NOMEM || unpack.reader.why[0] != '\0');
	assert(ept.n_owned <= FRAMES_MAX);
	ept_destroy(&ept);
	free(part);
	return 0;
}
