/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of memory holds what nothing else holds, with each backend where it can be mapped. */
#include "hv/guest/saved_memory.h"

#include <string.h>

#include "hv/frame/phys.h"
#include "hv/guest/hidden_memory.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + MIB(2))
#define N_FRAMES 256

static struct image file = {.path = "/file", .base = IMAGE, .size = MIB(2)};
static struct image no_file = {.path = "", .base = IMAGE, .size = MIB(2)};
static const struct backend low = {.id = "low", .size = MIB(3) + 100};
static const struct backend rom = {.id = "rom", .size = MIB(1), .image = &file};
static const struct backend shared = {.id = "shared", .size = MIB(1), .image = &file};
static const struct backend ram = {.id = "ram", .size = KIB(64), .image = &no_file};
static const struct backend cow = {.id = "cow", .size = KIB(32), .image = &file};
static struct ept ept;
static struct mem_map map;
static struct guest_memory memory = {.ept = &ept, .map = &map};
static uint8_t page[PAGE_SIZE];

static void add(uint64_t gpa, uint64_t len, const struct backend *backend, enum mem_kind kind,
		uint64_t offset)
{
	struct mem_region region = {.gpa = {gpa},
				    .len = len,
				    .kind = kind,
				    .image = backend->image,
				    .offset = offset,
				    .backend = backend};

	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&ept, &region), OK);
}

/* Main memory in two parts; ROM; memory in a file, without a file, private memory over a file. */
static int setup(void **state)
{
	frame_reset();
	memset(&map, 0, sizeof(map));
	memset(phys_arena(IMAGE, MIB(4)), 0x5a, MIB(2));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	add(0, MIB(2), &low, MEM_COW, 0);
	add(MIB(4), MIB(1), &rom, MEM_ROM, 0);
	add(MIB(6), MIB(1), &shared, MEM_SHARED, 0);
	add(MIB(8), KIB(64), &ram, MEM_SHARED, 0);
	add(MIB(10), KIB(32), &cow, MEM_COW, 0);
	add(GIB(4), MIB(1) + PAGE_SIZE, &low, MEM_COW, MIB(2));
	return 0;
}

static int teardown(void **state)
{
	ept_destroy(&ept);
	return 0;
}

static void backends_begin_where_they_can_be_mapped(void **state)
{
	static const struct {
		const struct backend *backend;
		bool is_saved;
		uint64_t place;
	} want[] = {
		{&low, true, 0},      {&rom, false, 0},	    {&shared, false, 0},
		{&ram, true, MIB(4)}, {&cow, true, MIB(6)}, {&low, true, 0},
	};

	assert_int_equal(map.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < map.n; i++) {
		uint64_t place = 0;

		assert_ptr_equal(map.region[i].backend, want[i].backend);
		assert_int_equal(saved_memory_place(&map, &map.region[i], &place),
				 want[i].is_saved);
		assert_int_equal(place, want[i].place);
	}
	assert_int_equal(saved_memory_size(&map), MIB(6) + KIB(32));
}

static void one_backend_is_a_file_of_its_size(void **state)
{
	map.n = 1;
	assert_int_equal(saved_memory_size(&map), MIB(3) + PAGE_SIZE);
	map.n = 0;
	assert_int_equal(saved_memory_size(&map), 0);
}

static void shared_memory_without_a_file_is_noticed(void **state)
{
	assert_true(saved_memory_is_shared(&map));
	for (size_t i = 0; i < map.n; i++)
		if (map.region[i].image == &no_file)
			map.region[i].kind = MEM_COW;
	assert_false(saved_memory_is_shared(&map));
}

static void write_at(uint64_t gpa, const char *text)
{
	assert_int_equal(guest_write(&memory, (gpa_t){gpa}, text, strlen(text)), OK);
}

static void read_at(uint64_t offset, const char *text, uint8_t rest)
{
	saved_memory_read(&memory, offset, page);
	assert_memory_equal(page, text, strlen(text));
	for (size_t i = strlen(text); i < PAGE_SIZE; i++)
		assert_int_equal(page[i], rest);
}

static void pages_are_where_they_belong(void **state)
{
	write_at(MIB(1), "low");
	write_at(GIB(4), "high");
	write_at(GIB(4) + MIB(1), "last");
	write_at(MIB(10) + KIB(28), "private");
	read_at(0, "", 0);
	read_at(MIB(1), "low", 0);
	read_at(MIB(2), "high", 0);
	read_at(MIB(3), "last", 0);
	read_at(MIB(3) + PAGE_SIZE, "", 0); /* a gap */
	read_at(MIB(4) - PAGE_SIZE, "", 0);
	read_at(MIB(4), "", 0x5a); /* shared memory without a file */
	read_at(MIB(4) + KIB(64), "", 0);
	read_at(MIB(6), "", 0x5a);
	read_at(MIB(6) + KIB(28), "private", 0x5a);
}

/* A disk's blocks come after the memory, unless they are a file's. */
static void blocks_that_are_private_are_saved(void **state)
{
	static const struct backend disk = {.id = "disk", .size = KIB(64) - 512, .image = &file};
	static const struct backend ro = {.id = "ro", .size = KIB(64), .image = &file};
	uint64_t place = 0;

	add(MEM_HIDDEN_START, KIB(64), &disk, MEM_COW, 0);
	add(MEM_HIDDEN_START + GIB(1), KIB(64), &ro, MEM_ROM, 0);
	add(MEM_HIDDEN_START + GIB(2), KIB(64), &shared, MEM_SHARED, 0);
	assert_true(saved_memory_place(&map, &map.region[map.n], &place));
	assert_int_equal(place, MIB(8));
	assert_false(saved_memory_place(&map, &map.region[map.n + 1], &place));
	assert_int_equal(saved_memory_size(&map), MIB(8) + KIB(64));
	assert_int_equal(hidden_write(&memory, (gpa_t){MEM_HIDDEN_START + KIB(4)}, "block", 5), OK);
	read_at(MIB(8), "", 0x5a);
	read_at(MIB(8) + KIB(4), "block", 0x5a);
	read_at(MIB(1), "", 0);
}

/* As many as a map can have, and the main memory's second part behind them. */
static void many_backends_are_where_they_belong(void **state)
{
	static struct backend many[MEM_MAP_MAX];
	size_t n = MEM_MAP_MAX - map.n;

	for (size_t i = 0; i < n; i++) {
		many[i] = (struct backend){.id = "one", .size = PAGE_SIZE};
		add(MIB(16) + i * PAGE_SIZE, PAGE_SIZE, &many[i], MEM_COW, 0);
	}
	write_at(MIB(16), "first");
	write_at(MIB(16) + (n - 1) * PAGE_SIZE, "last");
	write_at(GIB(4), "high");
	read_at(MIB(8), "first", 0);
	read_at(MIB(8) + (n - 1) * SAVED_ALIGN, "last", 0);
	read_at(MIB(2), "high", 0);
	assert_int_equal(saved_memory_size(&map), MIB(8) + (n - 1) * SAVED_ALIGN + PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(backends_begin_where_they_can_be_mapped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_backend_is_a_file_of_its_size, setup, teardown),
		cmocka_unit_test_setup_teardown(shared_memory_without_a_file_is_noticed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_backends_are_where_they_belong, setup,
						teardown),
		cmocka_unit_test_setup_teardown(blocks_that_are_private_are_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_are_where_they_belong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
