/* SPDX-License-Identifier: BSD-2-Clause */
/* What a VM's memory was is what another VM's becomes, in parts of any size, as a whole or as a
 * layer. */
#include "hv/guest/memory_pack.h"

#include <stdlib.h>
#include <string.h>

#include "hv/frame/phys.h"
#include "hv/guest/hidden_memory.h"
#include "hv/guest/region_map.h"
#include "hv/guest/saved_memory.h"
#include "hv/lib/crc32.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + MIB(2))
#define N_FRAMES 1536
#define LOW	 GIB(3)
#define HIGH	 GIB(5) /* beyond what 32 bits hold */
#define PARTS	 8

static struct image file = {.path = "/file", .base = IMAGE, .size = MIB(2)};
static const struct backend ram = {.id = "ram", .size = LOW + HIGH};
static const struct backend cow = {.id = "cow", .size = KIB(64), .image = &file};
static const struct backend disk = {
	.id = "disk", .size = KIB(64), .image = &file, .offset = KIB(64)};

struct vm {
	struct ept ept;
	struct mem_map map;
	struct guest_memory memory;
};
static struct vm from, to;
static uint8_t *part[PARTS];
static size_t part_len[PARTS];
static unsigned n_parts;
static struct memory_pack pack;
static struct memory_pack_work work;
static struct memory_unpack unpack;
static uint8_t scratch[BLOCK_MAX];

/* How many entries of tables were looked at. */
static uint64_t n_looked_at;

uint64_t __real_saved_memory_next(const struct guest_memory *memory, phys_t below, uint64_t offset,
				  unsigned *budget);
uint64_t __wrap_saved_memory_next(const struct guest_memory *memory, phys_t below, uint64_t offset,
				  unsigned *budget);

uint64_t __wrap_saved_memory_next(const struct guest_memory *memory, phys_t below, uint64_t offset,
				  unsigned *budget)
{
	unsigned before = *budget;
	uint64_t next = __real_saved_memory_next(memory, below, offset, budget);

	n_looked_at += before - *budget;
	return next;
}

static void add(struct vm *vm, uint64_t gpa, uint64_t len, const struct backend *backend,
		uint64_t offset)
{
	struct mem_region region = {.gpa = {gpa},
				    .len = len,
				    .kind = MEM_COW,
				    .image = backend->image,
				    .offset = offset,
				    .backend = backend};

	assert_int_equal(mem_map_add(&vm->map, &region), OK);
	if (vm->ept.base == NULL)
		assert_int_equal(region_map(&vm->ept, &region), OK);
}

/* 8 GiB of zeros around the gap, private memory that is a file, and a disk. */
static void lay_out(struct vm *vm)
{
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &vm->map};
	add(vm, 0, LOW, &ram, 0);
	add(vm, GIB(4), HIGH, &ram, LOW);
	add(vm, GIB(16), KIB(64), &cow, 0);
	add(vm, MEM_HIDDEN_START, KIB(64), &disk, KIB(64));
}

static void make(struct vm *vm)
{
	*vm = (struct vm){0};
	assert_int_equal(ept_init(&vm->ept, 2, EPT_UNLIMITED), OK);
	lay_out(vm);
}

static int setup(void **state)
{
	uint8_t *bytes;

	frame_reset();
	bytes = phys_arena(IMAGE, MIB(8));
	memset(bytes, 0x5a, KIB(128));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	make(&from);
	make(&to);
	n_parts = 0;
	unpack = (struct memory_unpack){.memory = &to.memory, .pages = scratch, .id = 7};
	memory_pack_begin(&pack, &from.memory, &work);
	pack.id = 7;
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < n_parts; i++)
		free(part[i]);
	ept_destroy(&to.ept);
	ept_destroy(&from.ept);
	return 0;
}

static enum status unpack_part(struct memory_unpack *to, const void *data, size_t len)
{
	enum status status = memory_unpack_open(to, data, len);

	while (status == OK && !to->reader.is_at_end)
		status = memory_unpack_some(to);
	return status;
}

static void write_at(struct vm *vm, uint64_t gpa, const void *bytes, size_t len)
{
	assert_int_equal(guest_write(&vm->memory, (gpa_t){gpa}, bytes, len), OK);
}

static void write_random(struct vm *vm, uint64_t gpa, unsigned seed)
{
	uint32_t words[PAGE_SIZE / 4];

	srand(seed + 1); /* 0 is like 1 */
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = (uint32_t)rand() * 2654435761U;
	write_at(vm, gpa, words, sizeof(words));
}

/* Make all parts. */
static void pack_all(uint64_t part_max)
{
	pack.part_max = part_max;
	do {
		size_t size = PART_HEAD_SIZE + BLOCK_HEAD_SIZE + 64 * PART_PUT_SIZE_MAX, n;

		if (n_parts > 0)
			memory_pack_next_part(&pack);
		assert_true(n_parts < PARTS);
		part[n_parts] = malloc(size);
		part_len[n_parts] = 0;
		while (!pack.is_at_end) {
			n = memory_pack_some(&pack);
			assert_true(part_len[n_parts] + n <= size);
			memcpy(part[n_parts] + part_len[n_parts], work.out, n);
			part_len[n_parts] += n;
		}
		assert_int_equal(part_len[n_parts], pack.len);
		assert_true(pack.len <= part_max);
		n_parts++;
	} while (!pack.is_last);
}

static void unpack_all(void)
{
	for (unsigned i = 0; i < n_parts; i++) {
		if (unpack_part(&unpack, part[i], part_len[i]) != OK)
			fail_msg("%s", unpack.reader.why);
		assert_int_equal(unpack.reader.is_last, i + 1 == n_parts);
	}
	assert_int_equal(memory_unpack_end(&unpack), OK);
}

/* Compare all pages that either VM has of its own, and some others. */
static void same(void)
{
	uint64_t size = saved_memory_size(&from.map);
	uint8_t a[PAGE_SIZE], b[PAGE_SIZE];
	struct vm *vms[] = {&from, &to};

	for (unsigned i = 0; i < 2; i++) {
		unsigned budget = UINT32_MAX;

		for (uint64_t at = 0;; at += PAGE_SIZE) {
			at = saved_memory_next(&vms[i]->memory, 0, at, &budget);
			if (at >= size)
				break;
			saved_memory_read(&from.memory, at, a);
			saved_memory_read(&to.memory, at, b);
			if (memcmp(a, b, PAGE_SIZE) != 0)
				fail_msg("page %#lx differs", at);
		}
	}
}

static void fill(struct vm *vm)
{
	write_at(vm, 0, "first", 5);
	write_at(vm, LOW - PAGE_SIZE, "before the gap", 14);
	write_at(vm, GIB(4), "after the gap", 13);
	write_at(vm, GIB(4) + HIGH - PAGE_SIZE, "last", 4);
	for (unsigned i = 0; i < 11; i++)
		write_random(vm, GIB(6) + i * PAGE_SIZE, i);
	assert_int_equal(
		hidden_write(&vm->memory, (gpa_t){MEM_HIDDEN_START + PAGE_SIZE}, "disk", 4), OK);
}

static void memory_comes_back(void **state)
{
	fill(&from);
	pack_all(MEMORY_PART_MAX);
	assert_int_equal(n_parts, 1);
	/* The image's pages, those written, and the eleven that cannot be compressed. */
	assert_in_range(part_len[0], 11 * PAGE_SIZE, 14 * PAGE_SIZE);
	unpack_all();
	same();
	assert_int_equal(to.ept.n_owned, from.ept.n_owned);
}

static void empty_memory_is_next_to_nothing(void **state)
{
	struct guest_memory *memory = &from.memory;

	from.map.n = 2;
	from.map.n_hidden = 0;
	to.map = from.map;
	/* A page that was written, and is zeros. */
	assert_int_equal(guest_zero(memory, (gpa_t){GIB(5)}, PAGE_SIZE), OK);
	pack_all(MEMORY_PART_MAX);
	assert_int_equal(part_len[0], PART_HEAD_SIZE + BLOCK_HEAD_SIZE);
	unpack_all();
	same();
	assert_int_equal(saved_memory_size(&from.map), LOW + HIGH);
}

static void parts_are_as_small_as_they_must_be(void **state)
{
	fill(&from);
	pack_all(PART_HEAD_SIZE + PART_PUT_SIZE_MAX + BLOCK_HEAD_SIZE + 2 * PAGE_SIZE);
	assert_in_range(n_parts, 3, PARTS);
	unpack_all();
	same();
}

/* The same bytes come out of a copy of the struct. */
static void a_part_can_be_made_again(void **state)
{
	struct memory_pack again;
	size_t len = 0;

	fill(&from);
	again = pack;
	pack_all(MEMORY_PART_MAX);
	while (!again.is_at_end) {
		size_t n = memory_pack_some(&again);

		assert_memory_equal(work.out, part[0] + len, n);
		len += n;
	}
	assert_int_equal(len, part_len[0]);
}

/* What was zeros becomes zeros, also where the VM's memory begins as a file. */
static void pages_without_a_block_become_zeros(void **state)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint8_t page[PAGE_SIZE];

	assert_int_equal(guest_zero(&from.memory, (gpa_t){GIB(16)}, KIB(60)), OK);
	assert_int_equal(hidden_zero(&from.memory, (gpa_t){MEM_HIDDEN_START}, KIB(64)), OK);
	pack_all(MEMORY_PART_MAX);
	unpack_all();
	same();
	saved_memory_read(&to.memory, LOW + HIGH, page);
	assert_memory_equal(page, zeros, PAGE_SIZE);
	saved_memory_read(&to.memory, LOW + HIGH + KIB(60), page);
	assert_int_equal(page[0], 0x5a);
}

/* Freeze 'from', and make both VMs clones of it. */
static struct ept_layer *make_clones(void)
{
	struct ept_layer *layer;

	assert_int_equal(ept_freeze(&from.ept, &layer), OK);
	while (ept_layer_freeze_some(layer, 1000))
		;
	ept_destroy(&to.ept);
	to.map = (struct mem_map){0};
	ept_clone(&to.ept, layer, EPT_UNLIMITED);
	lay_out(&to);
	return layer;
}

static void a_layer_holds_only_what_has_changed(void **state)
{
	struct ept_layer *layer;

	fill(&from);
	layer = make_clones();
	write_at(&from, GIB(4) + PAGE_SIZE, "new", 3);
	write_at(&from, GIB(6), "changed", 7);
	write_at(&from, GIB(16) + PAGE_SIZE, "beside", 6);
	assert_int_equal(guest_zero(&from.memory, (gpa_t){0}, PAGE_SIZE), OK);
	assert_int_equal(hidden_zero(&from.memory, (gpa_t){MEM_HIDDEN_START + PAGE_SIZE}, 4), OK);
	pack.below = layer->root;
	pack_all(MEMORY_PART_MAX);
	assert_true(part_len[0] < PART_HEAD_SIZE + 6 * BLOCK_HEAD_SIZE + PAGE_SIZE + 3 * 100);
	unpack.is_layer = true;
	unpack_all();
	same();
	assert_int_equal(to.ept.n_owned, from.ept.n_owned);
	ept_layer_put(layer);
}

/* A copy of a page, which merging may take back while the parts are made. */
static void pages_with_the_same_bytes_are_in_no_layer(void **state)
{
	struct ept_layer *layer;
	struct memory_pack again;
	gpa_t same_page = {GIB(6) + PAGE_SIZE}, zeros = {GIB(6) + 20 * PAGE_SIZE};
	phys_t frame;

	fill(&from);
	layer = make_clones();
	for (unsigned i = 0; i < 3; i++)
		write_random(&from, GIB(6) + i * PAGE_SIZE, i == 1 ? 1 : 50 + i);
	assert_int_equal(ept_copy(&from.ept, zeros, &frame), OK);
	pack.below = layer->root;
	again = pack;
	pack_all(MEMORY_PART_MAX);
	assert_in_range(part_len[0], 2 * PAGE_SIZE, 2 * PAGE_SIZE + 200);
	ept_seal(&from.ept, same_page);
	assert_true(ept_give_back(&from.ept, same_page,
				  ept_lookup(&from.ept, same_page, &(unsigned){0}) & EPT_ADDR,
				  ept_lookup_below(&from.ept, same_page, &(unsigned){0})) != 0);
	for (size_t len = 0; !again.is_at_end;) {
		size_t n = memory_pack_some(&again);

		assert_memory_equal(work.out, part[0] + len, n);
		len += n;
	}
	assert_int_equal(again.len, part_len[0]);
	unpack.is_layer = true;
	unpack_all();
	same();
	ept_layer_put(layer);
}

static void a_clone_that_wrote_nothing_is_an_empty_layer(void **state)
{
	struct ept_layer *layer;

	fill(&from);
	layer = make_clones();
	pack.below = layer->root;
	pack_all(MEMORY_PART_MAX);
	assert_int_equal(part_len[0], PART_HEAD_SIZE + BLOCK_HEAD_SIZE);
	unpack.is_layer = true;
	unpack_all();
	assert_int_equal(to.ept.n_owned, 0);
	ept_layer_put(layer);
}

static void what_does_not_fit_is_refused(void **state)
{
	fill(&from);
	pack_all(MEMORY_PART_MAX);
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0] - 1), ERR_CORRUPT);
	unpack.id = 8;
	unpack.reader = (struct part_reader){0};
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0]), ERR_CORRUPT);
	unpack = (struct memory_unpack){.memory = &to.memory, .pages = scratch, .id = 7};
	to.map = (struct mem_map){0};
	add(&to, 0, LOW, &ram, 0); /* without the memory above the gap */
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0]), ERR_RANGE);
	assert_string_equal(unpack.reader.why,
			    "has pages at 0xc0000000, where this VM has no memory to load");
}

static void a_vm_may_run_out_of_memory(void **state)
{
	fill(&from);
	pack_all(MEMORY_PART_MAX);
	to.ept.max_owned = to.ept.n_owned + 8;
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0]), ERR_NOMEM);
}

static void zeros_may_need_memory(void **state)
{
	assert_int_equal(guest_zero(&from.memory, (gpa_t){GIB(16)}, KIB(64)), OK);
	assert_int_equal(hidden_zero(&from.memory, (gpa_t){MEM_HIDDEN_START}, KIB(64)), OK);
	pack_all(MEMORY_PART_MAX);
	to.ept.max_owned = to.ept.n_owned;
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0]), OK);
	assert_int_equal(memory_unpack_end(&unpack), ERR_NOMEM);
}

/* The place of a gap that must become zeros is before a block. */
static void zeros_before_a_block_may_need_memory(void **state)
{
	assert_int_equal(guest_zero(&from.memory, (gpa_t){GIB(16)}, KIB(60)), OK);
	pack_all(MEMORY_PART_MAX);
	to.ept.max_owned = to.ept.n_owned;
	assert_int_equal(unpack_part(&unpack, part[0], part_len[0]), ERR_NOMEM);
}

/* A block whose checksum is right, and which is no LZ4. */
static void forged_blocks_are_refused(void **state)
{
	uint8_t *block, *bytes = malloc(PART_HEAD_SIZE + 2 * PART_PUT_SIZE_MAX);
	size_t len = part_put_head(bytes, 7, 0), n;
	uint32_t crc;

	block = bytes + len;
	memset(scratch, 'x', sizeof(scratch));
	n = part_put_block(block, 0, scratch, BLOCK_MAX, &work.table);
	memset(block + BLOCK_HEAD_SIZE, 0xff, n - BLOCK_HEAD_SIZE);
	crc = crc32_add(crc32_add(0, block, 16), block + BLOCK_HEAD_SIZE, n - BLOCK_HEAD_SIZE);
	memcpy(block + 16, &crc, sizeof(crc));
	len += n;
	len += part_put_end(bytes + len, true);
	assert_int_equal(unpack_part(&unpack, bytes, len), ERR_CORRUPT);
	assert_non_null(strstr(unpack.reader.why, "a block cannot be decompressed"));
	free(bytes);
}

/* The reader comes back after some hundred blocks, for those who have to do something else. */
static void many_blocks_are_read_in_pieces(void **state)
{
	enum { N = 600 };
	uint8_t *bytes = malloc(PART_HEAD_SIZE + (N + 1) * BLOCK_HEAD_SIZE);
	size_t len = part_put_head(bytes, 7, 0);
	unsigned n_calls = 0;

	for (unsigned i = 0; i < N; i++)
		len += part_put_zeros(bytes + len, i * PAGE_SIZE, PAGE_SIZE);
	len += part_put_end(bytes + len, true);
	assert_int_equal(memory_unpack_open(&unpack, bytes, len), OK);
	n_looked_at = 0;
	while (!unpack.reader.is_at_end) {
		assert_int_equal(memory_unpack_some(&unpack), OK);
		n_calls++;
	}
	assert_in_range(n_calls, 2, N / 100);
	assert_int_equal(unpack.at, N * PAGE_SIZE);
	/* A block takes no time for the memory after it. */
	assert_in_range(n_looked_at, 1, N / 10);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_comes_back),
		TEST(empty_memory_is_next_to_nothing),
		TEST(parts_are_as_small_as_they_must_be),
		TEST(a_part_can_be_made_again),
		TEST(pages_without_a_block_become_zeros),
		TEST(a_layer_holds_only_what_has_changed),
		TEST(pages_with_the_same_bytes_are_in_no_layer),
		TEST(a_clone_that_wrote_nothing_is_an_empty_layer),
		TEST(what_does_not_fit_is_refused),
		TEST(a_vm_may_run_out_of_memory),
		TEST(zeros_may_need_memory),
		TEST(zeros_before_a_block_may_need_memory),
		TEST(forged_blocks_are_refused),
		TEST(many_blocks_are_read_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
