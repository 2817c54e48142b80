/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares merging with flat arrays. Each VM has a processor with a TLB of its
 * own, which uses what it holds until it catches up with the generation: a
 * write by a stale translation to a page that was given back shows as wrong
 * bytes.
 */
#include "hv/guest/merge.h"

#include <stdlib.h>
#include <string.h>

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/region_map.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define START	 MIB(2)
#define N_FRAMES 2048
#define N_VMS	 3

/* The regions of every VM, in pages. */
enum { ZEROS, TEMPLATE, FILE_COW, FILE_SHARED, UNMERGED, N_REGIONS };
static const unsigned n_pages_of[N_REGIONS] = {96, 40, 24, 24, 16};
#define N_PAGES (96 + 40 + 24 + 24 + 16)

/* Only the first and the last word of a page are ever written. */
struct bytes {
	uint64_t first, last;
};

static struct vm {
	struct ept ept;
	struct mem_map map;
	struct guest_memory memory;
	struct merge merge;
	bool is_parked; /* the vCPU is not in the guest */
	uint64_t vcpu_generation, wrap_generation;
	uint64_t tlb[N_PAGES];
	struct bytes page[N_PAGES];
	bool is_detached[N_PAGES]; /* of FILE_COW: written once */
} vms[N_VMS];

static struct image template, file;
static struct backend merging = {.merge = true};
static const struct siphash_key key = {{1, 2}};
static uint64_t n_free_at_first;

static gpa_t gpa_of(unsigned region, unsigned page)
{
	return (gpa_t){MIB(1) + region * MIB(2) + page * PAGE_SIZE};
}

static unsigned region_of(unsigned page, unsigned *ret_page)
{
	unsigned region = 0;

	for (; page >= n_pages_of[region]; region++)
		page -= n_pages_of[region];
	*ret_page = page;
	return region;
}

static struct bytes read_bytes(phys_t frame)
{
	const uint64_t *words = phys_to_virt(frame);

	for (unsigned i = 1; i < 511; i++)
		if (words[i] != 0)
			fail_msg("stray bytes in frame 0x%lx", (unsigned long)frame);
	return (struct bytes){words[0], words[511]};
}

static void write_word(phys_t frame, bool last, uint64_t value)
{
	((uint64_t *)phys_to_virt(frame))[last ? 511 : 0] = value;
}

static void make_image(struct image *image, unsigned n_pages)
{
	*image = (struct image){.size = n_pages * PAGE_SIZE, .aligned = true};
	image->base = frame_alloc_run(n_pages, PAGE_SIZE);
	memset(phys_to_virt(image->base), 0, image->size);
	for (unsigned i = 0; i < n_pages; i++)
		write_word(image->base + i * PAGE_SIZE, i % 2, i % 3);
}

static struct mem_region make_region(unsigned n)
{
	static const enum mem_kind kinds[] = {MEM_COW, MEM_COW, MEM_COW, MEM_SHARED, MEM_COW};
	struct mem_region region = {
		.gpa = gpa_of(n, 0), .len = n_pages_of[n] * PAGE_SIZE, .kind = kinds[n]};

	if (n != UNMERGED)
		region.backend = &merging;
	if (n == TEMPLATE)
		region.image = &template;
	if (n == FILE_COW || n == FILE_SHARED)
		region.image = &file;
	return region;
}

static void make_vm(unsigned n)
{
	struct vm *vm = &vms[n];

	*vm = (struct vm){.is_parked = true};
	assert_int_equal(ept_init(&vm->ept, 1, EPT_UNLIMITED), OK);
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &vm->map};
	vm->merge.id = n;
	for (unsigned i = 0; i < N_REGIONS; i++) {
		struct mem_region region = make_region(i);

		assert_int_equal(mem_map_add(&vm->map, &region), OK);
		assert_int_equal(region_map(&vm->ept, &region), OK);
	}
	for (unsigned i = 0; i < N_PAGES; i++) {
		unsigned page, region = region_of(i, &page);

		if (region == TEMPLATE)
			vm->page[i] = read_bytes(template.base + page * PAGE_SIZE);
	}
}

static void destroy_vm(struct vm *vm)
{
	vm->is_parked = true;
	memset(vm->tlb, 0, sizeof(vm->tlb));
	merge_forget(&vm->merge, &vm->ept);
	ept_destroy(&vm->ept);
}

static int setup_with(uint64_t n_hints)
{
	frame_reset();
	merge_reset();
	frame_poison = true;
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	make_image(&template, n_pages_of[TEMPLATE]);
	make_image(&file, n_pages_of[FILE_COW]);
	file.is_written = true;
	n_free_at_first = frame_available();
	if (n_hints > 0)
		assert_int_equal(merge_setup(n_hints, &key), OK);
	for (unsigned i = 0; i < N_VMS; i++)
		make_vm(i);
	return 0;
}

static int setup(void **state)
{
	return setup_with(N_FRAMES);
}

static void enter_guest(struct vm *vm)
{
	vm->is_parked = false;
	if (vm->vcpu_generation == vm->ept.generation)
		return;
	memset(vm->tlb, 0, sizeof(vm->tlb));
	vm->vcpu_generation = vm->ept.generation;
}

static uint64_t caught_up(const struct vm *vm)
{
	return vm->is_parked ? vm->ept.generation : vm->vcpu_generation;
}

static gpa_t gpa_of_number(unsigned n)
{
	unsigned page, region = region_of(n, &page);

	return gpa_of(region, page);
}

/* The translation that the processor uses: the one it holds, or else the tree's. */
static uint64_t translate(struct vm *vm, unsigned n)
{
	unsigned level;

	if (vm->tlb[n] == 0)
		vm->tlb[n] = ept_lookup(&vm->ept, gpa_of_number(n), &level);
	return vm->tlb[n];
}

static struct bytes expected(const struct vm *vm, unsigned n)
{
	unsigned page, region = region_of(n, &page);

	if (region == FILE_SHARED || (region == FILE_COW && !vm->is_detached[n]))
		return read_bytes(file.base + page * PAGE_SIZE);
	return vm->page[n];
}

static void assert_bytes(struct vm *vm, unsigned n, phys_t frame)
{
	struct bytes is = read_bytes(frame), want = expected(vm, n);

	if (is.first != want.first || is.last != want.last)
		fail_msg("VM %u page %u: %llu %llu instead of %llu %llu", (unsigned)(vm - vms), n,
			 (unsigned long long)is.first, (unsigned long long)is.last,
			 (unsigned long long)want.first, (unsigned long long)want.last);
}

static void guest_reads(struct vm *vm, unsigned n)
{
	if (vm->is_parked)
		enter_guest(vm);
	assert_bytes(vm, n, translate(vm, n) & EPT_ADDR);
}

static void note_write(struct vm *vm, unsigned n, bool last, uint64_t value)
{
	unsigned page, region = region_of(n, &page);

	if (region == FILE_SHARED)
		return;
	if (region == FILE_COW && !vm->is_detached[n]) {
		vm->page[n] = read_bytes(file.base + page * PAGE_SIZE);
		vm->is_detached[n] = true;
	}
	if (last)
		vm->page[n].last = value;
	else
		vm->page[n].first = value;
}

static void guest_stores(struct vm *vm, unsigned n, bool last, uint64_t value)
{
	gpa_t gpa = gpa_of_number(n);
	phys_t frame;

	if (vm->is_parked)
		enter_guest(vm);
	note_write(vm, n, last, value);
	for (unsigned tries = 0; !(translate(vm, n) & EPT_W); tries++) {
		/* A violation drops what the processor held of the page, and leaves the guest. */
		assert_true(tries < 2);
		vm->tlb[n] = 0;
		assert_int_equal(
			region_copy_page(&vm->ept, mem_map_find(&vm->map, gpa), gpa, &frame), OK);
		enter_guest(vm);
	}
	write_word(translate(vm, n) & EPT_ADDR, last, value);
}

/* A write on the guest's behalf: its processor has left the guest, and enters again. */
static void model_writes(struct vm *vm, unsigned n, bool last, uint64_t value)
{
	note_write(vm, n, last, value);
	assert_int_equal(guest_write(&vm->memory,
				     gpa_add(gpa_of_number(n), last ? PAGE_SIZE - 8 : 0), &value,
				     8),
			 OK);
	if (!vm->is_parked)
		enter_guest(vm);
}

static enum merge_result step(struct vm *vm)
{
	return merge_step(&vm->merge, &vm->ept, &vm->map, caught_up(vm));
}

/* Look at the VM again from its first page, as hv/vm/merge_scan.c does. */
static void restart(struct merge *merge)
{
	assert_int_equal(merge->n, 0);
	*merge = (struct merge){.id = merge->id};
}

/* What hv/vm/merge_scan.c does after a scan of all VMs. */
static void end_scan(void)
{
	bool all_caught_up = true;

	for (unsigned i = 0; i < N_VMS; i++)
		all_caught_up &= caught_up(&vms[i]) >= vms[i].wrap_generation;
	if (all_caught_up)
		merged_free();
	for (unsigned i = 0; all_caught_up && i < N_VMS; i++)
		vms[i].wrap_generation = vms[i].ept.generation;
	merge_begin_scan();
	for (unsigned i = 0; i < N_VMS; i++)
		restart(&vms[i].merge);
}

/* Scan all VMs once, without changes meanwhile. */
static void scan(void)
{
	for (unsigned i = 0; i < N_VMS; i++) {
		vms[i].is_parked = true;
		while (step(&vms[i]) != MERGE_ENDED)
			;
	}
	end_scan();
}

static void check_all(void)
{
	uint64_t n_merged = 0;
	unsigned level;

	for (unsigned i = 0; i < N_VMS; i++) {
		for (unsigned n = 0; n < N_PAGES; n++) {
			uint64_t entry = ept_lookup(&vms[i].ept, gpa_of_number(n), &level);

			assert_bytes(&vms[i], n, entry & EPT_ADDR);
			n_merged += (entry & EPT_MERGED) != 0;
		}
	}
	assert_int_equal(merged_count().sharing, n_merged);
}

static void end_all(void)
{
	for (unsigned i = 0; i < N_VMS; i++)
		destroy_vm(&vms[i]);
	assert_int_equal(merged_count().sharing, 0);
	assert_int_equal(merged_count().shared, 0);
	merge_end();
	assert_int_equal(frame_available(), n_free_at_first);
}

static uint64_t entry_of(const struct vm *vm, unsigned n)
{
	unsigned level;

	return ept_lookup(&vm->ept, gpa_of_number(n), &level);
}

static void a_page_of_zeros_is_given_back(void **state)
{
	uint64_t owned;

	guest_stores(&vms[0], 5, false, 1);
	owned = vms[0].ept.n_owned;
	scan();
	assert_true(entry_of(&vms[0], 5) & EPT_OWN);
	guest_stores(&vms[0], 5, false, 0);
	scan();
	assert_int_equal(vms[0].ept.n_owned, owned - 1);
	assert_int_equal(entry_of(&vms[0], 5) & EPT_ADDR, ept_zero_frame());
	assert_int_equal(merged_count().sharing, 1);
	assert_int_equal(merged_count().shared, 0);
	/* The page is restored when it is written. */
	guest_stores(&vms[0], 5, true, 7);
	assert_int_equal(vms[0].ept.n_owned, owned);
	assert_int_equal(merged_count().sharing, 0);
	check_all();
	end_all();
}

/* Make a VM with a large page, of which n_zeros pages are zeros, and a small one after it. */
static void make_large(struct ept *ept, struct mem_map *map, unsigned n_zeros)
{
	struct mem_region region = {
		.gpa = {MIB(64)}, .len = MIB(2) + PAGE_SIZE, .kind = MEM_COW, .backend = &merging};
	const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	phys_t frame = frame_alloc_block_by(&anywhere, 0), small;
	uint64_t *entry;

	assert_int_not_equal(frame, 0);
	*map = (struct mem_map){0};
	assert_int_equal(ept_init(ept, 2, EPT_UNLIMITED), OK);
	assert_int_equal(mem_map_add(map, &region), OK);
	assert_int_equal(region_map(ept, &region), OK);
	assert_int_equal(ept_populate_large_begin(ept, region.gpa, &entry), OK);
	ept_populate_large(entry, frame);
	ept_populate_large_end(ept, entry, frame);
	for (unsigned i = n_zeros; i < FRAME_BLOCK; i++)
		write_word(frame + i * PAGE_SIZE, true, 1000 + i);
	assert_int_equal(ept_copy(ept, gpa_add(region.gpa, MIB(2)), &small), OK);
}

static unsigned level_of(const struct ept *ept, gpa_t gpa)
{
	unsigned level;

	assert_true(ept_lookup(ept, gpa, &level) & EPT_W);
	return level;
}

static void search(struct merge *merge, struct ept *ept, struct mem_map *map)
{
	*merge = (struct merge){.id = 9};
	merge_begin_scan();
	for (unsigned n = 0; merge_step(merge, ept, map, UINT64_MAX) != MERGE_ENDED; n++)
		assert_in_range(n, 0, 10000);
}

/* Few of its pages could be given back: the search looks at all, and finds the page behind. */
static void a_large_page_stays(void **state)
{
	static struct mem_map map;
	static struct merge merge;
	uint64_t owned, scanned = merge_scanned();
	struct ept ept;

	make_large(&ept, &map, 63);
	owned = ept.n_owned;
	search(&merge, &ept, &map);
	assert_int_equal(merge_scanned(), scanned + FRAME_BLOCK + 1);
	assert_int_equal(ept.n_owned, owned - 1);
	assert_int_equal(level_of(&ept, (gpa_t){MIB(64)}), 1);
	/* The second search begins its count again. */
	search(&merge, &ept, &map);
	assert_int_equal(level_of(&ept, (gpa_t){MIB(64)}), 1);
	ept_destroy(&ept);
	end_all();
}

static void a_large_page_is_split_if_that_gives_much_back(void **state)
{
	static struct mem_map map;
	static struct merge merge;
	struct ept ept;

	make_large(&ept, &map, 100);
	search(&merge, &ept, &map);
	assert_int_equal(level_of(&ept, (gpa_t){MIB(64) + 100 * PAGE_SIZE}), 0);
	for (unsigned i = 0; i <= FRAME_BLOCK; i++) {
		unsigned level;
		gpa_t gpa = {MIB(64) + i * PAGE_SIZE};
		uint64_t entry = ept_lookup(&ept, gpa, &level),
			 *words = phys_to_virt(entry & EPT_ADDR);
		bool is_own = i >= 100 && i < FRAME_BLOCK;

		assert_int_equal(!!(entry & EPT_OWN), is_own);
		assert_int_equal(words[511], is_own ? 1000 + i : 0);
	}
	ept_destroy(&ept);
	end_all();
}

static void a_page_equal_to_its_template_is_given_back(void **state)
{
	unsigned n = 96 + 4;
	struct bytes was = vms[0].page[n];

	guest_stores(&vms[0], n, false, 77);
	scan();
	assert_true(entry_of(&vms[0], n) & EPT_OWN);
	guest_stores(&vms[0], n, false, was.first);
	scan();
	assert_int_equal(entry_of(&vms[0], n) & EPT_ADDR, template.base + 4 * PAGE_SIZE);
	check_all();
	end_all();
}

static void a_page_equal_to_a_file_that_may_change_is_not(void **state)
{
	unsigned n = 96 + 40 + 4;
	struct bytes was = expected(&vms[0], n);

	guest_stores(&vms[0], n, false, was.first);
	scan();
	scan();
	assert_true(entry_of(&vms[0], n) & EPT_OWN);
	write_word(file.base + 4 * PAGE_SIZE, false, 1234);
	check_all();
	end_all();
}

/* Some regions' files may change, and some take no part: none decides for another one. */
static void each_of_many_regions_decides_for_itself(void **state)
{
	static struct vm vm;
	uint64_t value = 0;

	setup_with(0);
	vm = (struct vm){.is_parked = true, .merge.id = N_VMS};
	assert_int_equal(ept_init(&vm.ept, 1, EPT_UNLIMITED), OK);
	for (unsigned i = 0; i < MEM_MAP_MAX; i++) {
		struct mem_region region = {.gpa = {i * PAGE_SIZE},
					    .len = PAGE_SIZE,
					    .kind = MEM_COW,
					    .offset = PAGE_SIZE};

		region.backend = i % 3 == 1 ? NULL : &merging;
		region.image = i % 3 == 0 ? &file : &template;
		assert_int_equal(mem_map_add(&vm.map, &region), OK);
		assert_int_equal(region_map(&vm.ept, &region), OK);
	}
	vm.memory = (struct guest_memory){.ept = &vm.ept, .map = &vm.map};
	for (unsigned i = 0; i < MEM_MAP_MAX; i++)
		assert_int_equal(guest_write(&vm.memory, (gpa_t){i * PAGE_SIZE}, &value, 8), OK);
	while (step(&vm) != MERGE_ENDED)
		;
	for (unsigned i = 0; i < MEM_MAP_MAX; i++) {
		unsigned level;
		uint64_t entry = ept_lookup(&vm.ept, (gpa_t){i * PAGE_SIZE}, &level);

		assert_int_equal((entry & EPT_OWN) != 0, i % 3 != 2);
	}
	destroy_vm(&vm);
	end_all();
}

static void a_region_that_takes_no_part_is_left_alone(void **state)
{
	unsigned n = N_PAGES - 2;

	for (unsigned i = 0; i < N_VMS; i++)
		guest_stores(&vms[i], n, false, i == 0 ? 0 : 5);
	for (unsigned i = 0; i < 3; i++)
		scan();
	for (unsigned i = 0; i < N_VMS; i++)
		assert_true(entry_of(&vms[i], n) & EPT_OWN);
	assert_int_equal(merge_scanned(), 0);
	end_all();
}

static void equal_pages_of_several_vms_become_one_frame(void **state)
{
	uint64_t before = 0, after = 0;

	/* At the same address, and at others. */
	for (unsigned i = 0; i < N_VMS; i++) {
		guest_stores(&vms[i], 9, false, 42);
		guest_stores(&vms[i], 20 + i, false, 42);
		guest_stores(&vms[i], 96 + i, false, 42);
		guest_stores(&vms[i], 96 + i, true, 0);
		before += vms[i].ept.n_owned;
	}
	scan();
	scan();
	scan();
	for (unsigned i = 0; i < N_VMS; i++) {
		after += vms[i].ept.n_owned;
		assert_int_equal(entry_of(&vms[i], 9) & EPT_ADDR, entry_of(&vms[0], 20) & EPT_ADDR);
	}
	assert_int_equal(before - after, 9);
	assert_int_equal(merged_count().shared, 1);
	assert_int_equal(merged_count().sharing, 9);
	check_all();
	/* A write by one VM leaves the others unchanged. */
	guest_stores(&vms[1], 9, true, 3);
	assert_int_equal(merged_count().sharing, 8);
	check_all();
	end_all();
}

/* Whichever bits of their numbers differ. */
static void pages_at_one_address_of_any_two_vms_meet(void **state)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		vms[0].merge.id = 0;
		vms[1].merge.id = UINT32_C(1) << bit;
		guest_stores(&vms[0], 9, false, 42 + bit);
		guest_stores(&vms[1], 9, false, 42 + bit);
		for (unsigned n = 0; n < 3; n++)
			scan();
		assert_int_equal(entry_of(&vms[0], 9) & EPT_ADDR, entry_of(&vms[1], 9) & EPT_ADDR);
	}
	check_all();
	end_all();
}

/* The guest that had the page may have chosen its frame. */
static void a_merged_frame_was_no_vms_own(void **state)
{
	phys_t own[N_VMS], merged;

	for (unsigned i = 0; i < N_VMS; i++) {
		guest_stores(&vms[i], 9, false, 42);
		own[i] = entry_of(&vms[i], 9) & EPT_ADDR;
	}
	scan();
	scan();
	merged = entry_of(&vms[0], 9) & EPT_ADDR;
	assert_int_equal(merged_count().sharing, N_VMS);
	for (unsigned i = 0; i < N_VMS; i++)
		assert_int_not_equal(merged, own[i]);
	check_all();
	end_all();
}

static void what_is_reserved_or_not_to_be_merged_takes_no_part(void **state)
{
	static const struct backend kept = {0}, allocated = {.merge = true, .prealloc = true};
	struct frame_reserve reserve = {0};
	struct mem_region region = {.kind = MEM_COW, .backend = &merging};

	assert_true(merge_takes(&region));
	region.reserve = &reserve;
	assert_false(merge_takes(&region));
	region.reserve = NULL;
	region.backend = &allocated;
	assert_false(merge_takes(&region));
	region.backend = &kept;
	assert_false(merge_takes(&region));
	region.backend = &merging;
	region.kind = MEM_SHARED;
	assert_false(merge_takes(&region));
}

/* A page of the second VM equals one of the first, and is about to be replaced by a copy. */
static struct vm *seal_an_equal_page(void)
{
	guest_stores(&vms[0], 9, false, 42);
	guest_stores(&vms[1], 9, false, 42);
	vms[0].is_parked = vms[1].is_parked = true;
	while (step(&vms[0]) != MERGE_ENDED)
		;
	while (vms[1].merge.n == 0)
		assert_int_equal(step(&vms[1]), MERGE_LOOKED);
	assert_false(entry_of(&vms[1], 9) & EPT_W);
	return &vms[1];
}

/* Complete the scan. The page is still the VM's own, and no copy is left. */
static void expect_page_stays(struct vm *vm)
{
	vm->is_parked = true;
	while (step(vm) != MERGE_ENDED)
		;
	assert_int_equal(entry_of(vm, 9) & (EPT_OWN | EPT_W), EPT_OWN | EPT_W);
	assert_int_equal(merged_count().shared, 0);
	check_all();
	end_scan();
}

static void without_a_frame_for_the_copy_a_page_stays(void **state)
{
	struct vm *vm = seal_an_equal_page();
	static phys_t taken[N_FRAMES];
	unsigned n = 0;

	while ((taken[n] = frame_alloc()) != 0)
		n++;
	expect_page_stays(vm);
	while (n > 0)
		frame_free(taken[--n]);
	end_all();
}

static void a_page_that_has_got_other_bytes_is_not_copied(void **state)
{
	struct vm *vm = seal_an_equal_page();

	write_word(entry_of(vm, 9) & EPT_ADDR, true, 5); /* by a translation still held */
	note_write(vm, 9, true, 5);
	expect_page_stays(vm);
	end_all();
}

/* The bytes are the same again, but the guest may write others next. */
static void a_page_that_was_written_is_not_copied(void **state)
{
	struct vm *vm = seal_an_equal_page();

	vm->tlb[9] = 0;
	guest_stores(vm, 9, false, 42);
	expect_page_stays(vm);
	end_all();
}

/* The page's bytes are in a frame found after n others with the same hash. */
static bool is_found_after(unsigned n)
{
	uint64_t words[PAGE_SIZE / 8] = {42}, hash = siphash(&key, words, ARRAY_SIZE(words));
	bool found;

	setup(NULL);
	for (unsigned i = 0; i <= n; i++) {
		phys_t frame = frame_alloc_zeroed();

		write_word(frame, false, i == 0 ? 42 : 43);
		assert_true(merged_add(hash, frame));
	}
	guest_stores(&vms[0], 9, false, 42);
	scan();
	found = !(entry_of(&vms[0], 9) & EPT_OWN);
	check_all();
	return found;
}

static void a_page_is_compared_with_few_frames(void **state)
{
	assert_true(is_found_after(7));
	assert_false(is_found_after(8));
}

static void a_frame_that_nobody_counts_waits_and_can_be_found_meanwhile(void **state)
{
	phys_t frame = frame_alloc(), other = frame_alloc(), found;
	uint64_t n = frame_available();
	struct merged_cursor cursor;

	assert_true(merged_add(5, frame));
	assert_true(merged_add(5, other));
	cursor = merged_find(5);
	assert_true(merged_get(&cursor, &found) && found == other);
	assert_true(merged_get(&cursor, &found) && found == frame);
	assert_false(merged_get(&cursor, &found));
	cursor = merged_find(6);
	assert_false(merged_get(&cursor, &found));
	for (unsigned i = 0; i < 2; i++) {
		merged_put(frame);
		merged_put(other);
	}
	assert_int_equal(merged_count().shared, 0);
	merged_free();
	assert_int_equal(frame_available(), n);
	cursor = merged_find(5);
	assert_true(merged_get(&cursor, &found) && found == other);
	merged_free();
	assert_int_equal(frame_available(), n + 1);
	cursor = merged_find(5);
	assert_true(merged_get(&cursor, &found) && found == other);
	assert_false(merged_get(&cursor, &found));
	merged_put(other);
	merged_put(other);
	merged_free();
	assert_int_equal(frame_available(), n + 1);
	merged_free();
	assert_int_equal(frame_available(), n + 2);
	cursor = merged_find(5);
	assert_false(merged_get(&cursor, &found));
	end_all();
}

static void pages_of_one_vm_are_merged_with_each_other(void **state)
{
	for (unsigned n = 0; n < 90; n++)
		guest_stores(&vms[0], n, false, 6);
	scan();
	scan();
	assert_int_equal(merged_count().shared, 1);
	assert_int_equal(merged_count().sharing, 90);
	check_all();
	end_all();
}

static void a_page_written_while_it_is_sealed_stays(void **state)
{
	struct vm *vm = &vms[0];

	guest_stores(vm, 1, false, 0);
	guest_stores(vm, 2, false, 0);
	guest_stores(vm, 3, false, 0);
	while (vm->merge.n < 3)
		assert_int_equal(step(vm), MERGE_LOOKED);
	assert_false(entry_of(vm, 1) & EPT_W);
	guest_stores(vm, 1, false, 8); /* by the translation it held */
	enter_guest(vm);
	guest_stores(vm, 2, false, 9);	/* after a violation */
	model_writes(vm, 3, false, 10); /* on its behalf */
	scan();
	for (unsigned n = 1; n < 4; n++)
		assert_int_equal(entry_of(vm, n) & (EPT_OWN | EPT_W), EPT_OWN | EPT_W);
	check_all();
	end_all();
}

static void nothing_is_given_back_before_all_have_caught_up(void **state)
{
	struct vm *vm = &vms[0];
	uint64_t free_frames;
	unsigned n_steps = 0;

	guest_stores(vm, 1, false, 0);
	while (step(vm) != MERGE_WAITS)
		assert_true(n_steps++ < 1000);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(step(vm), MERGE_WAITS);
	assert_true(entry_of(vm, 1) & EPT_OWN);
	free_frames = frame_available();
	enter_guest(vm);
	assert_int_equal(step(vm), MERGE_LOOKED);
	assert_false(entry_of(vm, 1) & EPT_OWN);
	/* The frame may still be read. */
	assert_int_equal(step(vm), MERGE_WAITS);
	assert_int_equal(frame_available(), free_frames);
	enter_guest(vm);
	assert_int_equal(step(vm), MERGE_LOOKED);
	assert_int_equal(frame_available(), free_frames + 1);
	assert_int_equal(step(vm), MERGE_ENDED);
	end_all();
}

static void a_vm_may_end_at_any_step(void **state)
{
	for (unsigned steps = 0; steps < 400; steps += steps < 64 ? 1 : 37) {
		setup(NULL);
		for (unsigned n = 0; n < 60; n++) {
			guest_stores(&vms[0], n, false, n % 3);
			guest_stores(&vms[1], n, false, n % 3);
		}
		scan();
		for (unsigned n = 60; n < 80; n++)
			guest_stores(&vms[0], n, true, n % 2);
		vms[0].is_parked = true;
		for (unsigned i = 0; i < steps; i++)
			(void)step(&vms[0]);
		destroy_vm(&vms[0]);
		make_vm(0);
		check_all();
		end_all();
	}
}

static void without_room_zeros_and_templates_are_merged_all_the_same(void **state)
{
	setup_with(0);
	/* Neither for one table nor for the other. */
	assert_int_equal(merge_setup(GIB(4), &key), ERR_NOMEM);
	assert_int_equal(merge_setup(MIB(4), &key), ERR_NOMEM);
	guest_stores(&vms[0], 1, false, 0);
	guest_stores(&vms[0], 2, false, 4);
	guest_stores(&vms[0], 3, false, 4);
	scan();
	scan();
	assert_int_equal(merged_count().sharing, 1);
	check_all();
	end_all();
}

/* Each VM was looked at in a scan of its own: what the last one left says nothing any more. */
static void a_page_of_the_last_scan_is_forgotten(void **state)
{
	setup_with(512);
	for (unsigned i = 0; i < N_VMS; i++)
		guest_stores(&vms[i], 3, false, 77);
	for (unsigned i = 0; i < N_VMS; i++) {
		vms[i].is_parked = true;
		while (step(&vms[i]) != MERGE_ENDED)
			;
		end_scan();
	}
	assert_int_equal(merged_count().shared, 0);
	for (unsigned i = 0; i < 4; i++)
		scan();
	assert_int_equal(merged_count().shared, 1);
	check_all();
	end_all();
}

static void the_table_may_be_full(void **state)
{
	setup_with(0);
	assert_int_equal(merge_setup(1, &key), OK); /* 512 hints, 128 frames */
	for (unsigned n = 0; n < 96; n++)
		for (unsigned i = 0; i < N_VMS; i++)
			guest_stores(&vms[i], n, false, 100 + n);
	for (unsigned n = 96; n < 96 + 40; n++)
		for (unsigned i = 0; i < N_VMS; i++)
			guest_stores(&vms[i], n, true, 1000 + n);
	for (unsigned n = 136; n < 136 + 24; n++)
		for (unsigned i = 0; i < N_VMS; i++)
			guest_stores(&vms[i], n, true, 1000 + n);
	for (unsigned i = 0; i < 8; i++)
		scan();
	assert_int_equal(merged_count().shared, 128);
	assert_false(merged_has_room());
	check_all();
	for (unsigned i = 0; i < N_VMS; i++)
		destroy_vm(&vms[i]);
	assert_int_equal(merged_count().shared, 0);
	merged_free();
	merged_free();
	assert_true(merged_has_room());
}

/* The layer's pages are what is below its clones. */
static void a_clone_gives_back_what_equals_its_layer(void **state)
{
	struct vm *vm = &vms[0];
	struct ept_layer *layer;

	guest_stores(vm, 1, false, 11);
	guest_stores(vm, 2, false, 22);
	vm->is_parked = true;
	merge_forget(&vm->merge, &vm->ept);
	assert_int_equal(freeze_tree(&vm->ept, &layer), OK);
	memset(vm->tlb, 0, sizeof(vm->tlb));
	guest_stores(vm, 1, true, 5);
	guest_stores(vm, 1, true, 0);
	guest_stores(vm, 2, true, 5);
	guest_stores(vm, 96 + 4, true, 5);
	guest_stores(vm, 96 + 4, true, read_bytes(template.base + 4 * PAGE_SIZE).last);
	scan();
	assert_false(entry_of(vm, 1) & EPT_OWN);
	assert_true(entry_of(vm, 2) & EPT_OWN);
	assert_int_equal(entry_of(vm, 96 + 4) & EPT_ADDR, template.base + 4 * PAGE_SIZE);
	check_all();
	ept_layer_put(layer);
	end_all();
}

/* What a layer has merged, its clones borrow without counts of their own. */
static void a_layer_keeps_what_it_has_merged(void **state)
{
	struct vm *vm = &vms[0];
	struct ept_layer *layer;
	struct ept clone;
	unsigned level;
	phys_t frame;

	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 0; n < 4; n++)
			guest_stores(&vms[i], n, false, 33);
	scan();
	scan();
	assert_int_equal(merged_count().sharing, 8);
	merge_forget(&vm->merge, &vm->ept);
	assert_int_equal(freeze_tree(&vm->ept, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(ept_copy(&clone, gpa_of_number(0), &frame), OK);
	assert_int_equal(merged_count().sharing, 8);
	assert_false(ept_lookup(&clone, gpa_of_number(1), &level) & EPT_MERGED);
	assert_int_equal(read_bytes(ept_lookup(&clone, gpa_of_number(1), &level) & EPT_ADDR).first,
			 33);
	ept_reset(&clone);
	ept_destroy(&clone);
	assert_int_equal(merged_count().sharing, 8);
	ept_layer_put(layer);
	destroy_vm(vm);
	assert_int_equal(merged_count().sharing, 4);
	make_vm(0);
	end_all();
}

/* The clone's leaf and the layer's lead to the same frame. Each has a count. */
static void a_clone_counts_what_its_layer_has_merged(void **state)
{
	struct vm *vm = &vms[0];
	struct ept_layer *layer;

	for (unsigned i = 0; i < 2; i++)
		guest_stores(&vms[i], 1, false, 33);
	scan();
	scan();
	assert_int_equal(merged_count().sharing, 2);
	merge_forget(&vm->merge, &vm->ept);
	assert_int_equal(freeze_tree(&vm->ept, &layer), OK);
	destroy_vm(&vms[1]);
	assert_int_equal(merged_count().sharing, 1);
	guest_stores(vm, 1, true, 5);
	guest_stores(vm, 1, true, 0);
	scan();
	assert_int_equal(merged_count().sharing, 2);
	guest_stores(vm, 1, true, 5);
	assert_int_equal(merged_count().sharing, 1);
	assert_int_equal(merged_count().shared, 1);
	destroy_vm(vm);
	assert_int_equal(merged_count().shared, 1);
	ept_layer_put(layer);
	assert_int_equal(merged_count().shared, 0);
	make_vm(0);
	make_vm(1);
	end_all();
}

static void a_merged_page_that_is_mapped_over_is_no_longer_counted(void **state)
{
	struct vm *vm = &vms[0];

	for (unsigned n = 0; n < 4; n++)
		guest_stores(vm, n, false, 33);
	scan();
	scan();
	assert_int_equal(merged_count().sharing, 4);
	assert_int_equal(ept_map_zero(&vm->ept, gpa_of_number(0), 2 * PAGE_SIZE), OK);
	assert_int_equal(merged_count().sharing, 2);
	assert_int_equal(ept_map(&vm->ept, (gpa_t){0}, 0, MIB(2), 0), OK);
	assert_int_equal(merged_count().sharing, 0);
	assert_int_equal(merged_count().shared, 0);
	ept_reclaim(&vm->ept);
	end_all();
}

static void random_use_changes_no_byte(void **state)
{
	unsigned n_freed = 0;

	srand(3);
	for (unsigned i = 0; i < 60000; i++) {
		struct vm *vm = &vms[rand() % N_VMS];
		/* Half of the time few pages, so that translations are used again. */
		unsigned n = rand() % 2 ? (unsigned)rand() % 25 * 8 : (unsigned)rand() % N_PAGES;
		uint64_t value = (uint64_t)(rand() % 3);

		switch (rand() % 16) {
		case 0:
		case 1:
		case 2:
		case 3:
			guest_reads(vm, n);
			break;
		case 4:
		case 5:
			guest_stores(vm, n, rand() % 4 == 0, value);
			break;
		case 6:
			model_writes(vm, n, rand() % 4 == 0, value);
			break;
		case 7:
			enter_guest(vm);
			break;
		case 8:
			vm->is_parked = true;
			break;
		case 9:
			if (rand() % 50 == 0)
				write_word(file.base + (uint64_t)(rand() % 24) * PAGE_SIZE,
					   rand() % 2, value);
			if (rand() % 500 == 0) {
				destroy_vm(vm);
				make_vm((unsigned)(vm - vms));
			}
			break;
		default:
			for (unsigned k = 0; k < 8; k++)
				(void)step(vm);
			break;
		}
		if (vms[0].merge.has_ended && vms[1].merge.has_ended && vms[2].merge.has_ended &&
		    vms[0].merge.n + vms[1].merge.n + vms[2].merge.n == 0) {
			end_scan();
			n_freed++;
		}
		if (i % 500 == 0)
			check_all();
	}
	assert_true(n_freed > 10);
	assert_true(merged_count().sharing > 10);
	check_all();
	end_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_of_zeros_is_given_back, setup),
		cmocka_unit_test_setup(a_large_page_stays, setup),
		cmocka_unit_test_setup(a_large_page_is_split_if_that_gives_much_back, setup),
		cmocka_unit_test_setup(a_page_equal_to_its_template_is_given_back, setup),
		cmocka_unit_test_setup(a_page_equal_to_a_file_that_may_change_is_not, setup),
		cmocka_unit_test(each_of_many_regions_decides_for_itself),
		cmocka_unit_test_setup(a_region_that_takes_no_part_is_left_alone, setup),
		cmocka_unit_test_setup(equal_pages_of_several_vms_become_one_frame, setup),
		cmocka_unit_test_setup(pages_at_one_address_of_any_two_vms_meet, setup),
		cmocka_unit_test_setup(a_merged_frame_was_no_vms_own, setup),
		cmocka_unit_test_setup(what_is_reserved_or_not_to_be_merged_takes_no_part, setup),
		cmocka_unit_test_setup(without_a_frame_for_the_copy_a_page_stays, setup),
		cmocka_unit_test_setup(a_page_that_has_got_other_bytes_is_not_copied, setup),
		cmocka_unit_test_setup(a_page_that_was_written_is_not_copied, setup),
		cmocka_unit_test(a_page_is_compared_with_few_frames),
		cmocka_unit_test_setup(a_frame_that_nobody_counts_waits_and_can_be_found_meanwhile,
				       setup),
		cmocka_unit_test_setup(pages_of_one_vm_are_merged_with_each_other, setup),
		cmocka_unit_test_setup(a_page_written_while_it_is_sealed_stays, setup),
		cmocka_unit_test_setup(nothing_is_given_back_before_all_have_caught_up, setup),
		cmocka_unit_test_setup(a_vm_may_end_at_any_step, setup),
		cmocka_unit_test_setup(without_room_zeros_and_templates_are_merged_all_the_same,
				       setup),
		cmocka_unit_test_setup(a_page_of_the_last_scan_is_forgotten, setup),
		cmocka_unit_test_setup(the_table_may_be_full, setup),
		cmocka_unit_test_setup(a_clone_gives_back_what_equals_its_layer, setup),
		cmocka_unit_test_setup(a_layer_keeps_what_it_has_merged, setup),
		cmocka_unit_test_setup(a_clone_counts_what_its_layer_has_merged, setup),
		cmocka_unit_test_setup(a_merged_page_that_is_mapped_over_is_no_longer_counted,
				       setup),
		cmocka_unit_test_setup(random_use_changes_no_byte, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
