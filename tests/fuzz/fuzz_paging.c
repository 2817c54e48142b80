/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any control registers and any paging structures: 8 words of registers, then entries of 12 bytes,
 * each a place in the tables and a value. A translation that succeeds must succeed again and change
 * nothing more; one that fails must change nothing; who may write may read.
 */
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/guest_paging.h"
#include "hv/guest/region_map.h"
#include "hv/lib/assert.h"
#include "tests/unit/support.h"

#define FRAMES	 MIB(2)
#define N_FRAMES 64
#define RAM_LEN	 UINT64_C(0x8000) /* the guest's memory, from 0 on: eight pages of tables */

enum { N_WORDS = 8, ENTRY = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ept ept;
static struct mem_map map;
static struct guest_memory memory = {&ept, &map};

static void set_up(void)
{
	struct mem_region region = {.len = RAM_LEN, .kind = MEM_COW};

	frame_reset();
	if (phys_offset == 0)
		phys_arena(FRAMES, MIB(2));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	memset(&map, 0, sizeof(map));
	assert(ept_setup() == OK);
	assert(ept_init(&ept, 2, EPT_UNLIMITED) == OK);
	assert(mem_map_add(&map, &region) == OK);
	assert(region_map(&ept, &region) == OK);
}

static void take_entries(const uint8_t *data, size_t size)
{
	for (; size >= ENTRY; data += ENTRY, size -= ENTRY) {
		uint32_t at;

		memcpy(&at, data, sizeof(at));
		assert(guest_write(&memory, (gpa_t){at % RAM_LEN & ~UINT64_C(3)}, data + 4,
				   RAM_LEN - (at % RAM_LEN & ~UINT64_C(3)) < 8 ? 4 : 8) == OK);
	}
}

static uint64_t hash_memory(void)
{
	static uint8_t bytes[RAM_LEN];
	uint64_t hash = 0, word;

	assert(guest_read(&memory, (gpa_t){0}, bytes, sizeof(bytes)) == OK);
	for (size_t i = 0; i < sizeof(bytes); i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return hash;
}

static void try(struct guest_paging *paging, uint64_t linear, unsigned access)
{
	uint64_t before = hash_memory(), after;
	gpa_t first = {0}, second = {0};
	enum status status = guest_translate(paging, linear, access, &first);

	after = hash_memory();
	if (status != OK) {
		assert(after == before);
		return;
	}
	assert(guest_translate(paging, linear, access, &second) == OK);
	assert(first.raw == second.raw && hash_memory() == after);
	if (access & ACCESS_WRITE)
		assert(guest_translate(paging, linear, ACCESS_READ, &second) == OK &&
		       first.raw == second.raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t word[N_WORDS];
	struct guest_paging paging = {.memory = &memory};
	uint8_t bytes[16];

	if (size < sizeof(word))
		return 0;
	memcpy(word, data, sizeof(word));
	set_up();
	take_entries(data + sizeof(word), size - sizeof(word));
	paging.cr0 = word[0];
	paging.cr3 = word[1] % RAM_LEN;
	paging.cr4 = word[2];
	paging.efer = word[3];
	paging.rflags = word[4];
	paging.cpl = word[5] & 3;
	paging.phys_bits = word[5] & 4 ? 0 : 32 + word[5] / 8 % 21;
	for (unsigned i = 0; i < 4; i++)
		paging.pdpte[i] = word[7] >> (16 * i) & 0xffff;
	for (unsigned access = 1; access < 8; access++)
		try(&paging, word[6], access);
	(void)guest_read_linear(&paging, word[6], bytes, sizeof(bytes), ACCESS_READ);
	(void)guest_write_linear(&paging, word[6], bytes, sizeof(bytes), ACCESS_WRITE);
	ept_destroy(&ept);
	assert(frame_available() == N_FRAMES - EPT_ZERO_LEVELS);
	return 0;
}
