/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/prealloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hv/ept/store.h"
#include "hv/frame/numa.h"
#include "hv/frame/numa_parse.h"
#include "hv/frame/phys.h"
#include "hv/guest/hidden_memory.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

#define START	 MIB(2)
#define N_FRAMES 4096
#define PART	 (N_FRAMES / 2) /* frames of each node */
#define N_CPUS	 4
#define GPA	 (MIB(2) - 3 * PAGE_SIZE) /* three pages in the first stretch */
#define N_PAGES	 (3 + 512 + 512 + 5)

static struct lock lock;
static struct ept ept;
static struct mem_region region;
static struct image image;
static struct frame_stack stacks[N_CPUS];

/* The number of the processor that this thread is. Recorded for each page filled. */
static _Thread_local uint32_t my_index;
static bool has_filled[N_CPUS];

void ept_store(uint64_t *slot, uint64_t entry)
{
	if (entry & EPT_OWN)
		__atomic_store_n(&has_filled[my_index], true, __ATOMIC_RELAXED);
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
}

static void set_two_nodes(void)
{
	memset(&numa, 0, sizeof(numa));
	numa.n_nodes = numa.n_spans = 2;
	numa.span[1] = (struct numa_span){START + PART * PAGE_SIZE, 1};
	for (unsigned i = 0; i < 4; i++)
		numa.distance[i / 2][i % 2] = i % 3 == 0 ? NUMA_LOCAL : NUMA_REMOTE;
	numa_add_memory(&numa, START, N_FRAMES * PAGE_SIZE);
}

static uint64_t *image_words(uint64_t page)
{
	return phys_to_virt(image.base + region.offset + page * PAGE_SIZE);
}

/* Private memory over a file, at an offset of one page, or zeros. */
static void make_region(bool anonymous)
{
	region = (struct mem_region){.gpa = {GPA}, .len = N_PAGES * PAGE_SIZE, .kind = MEM_COW};
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	if (!anonymous) {
		image = (struct image){.size = (N_PAGES + 1) * PAGE_SIZE, .aligned = true};
		image.base = frame_alloc_run(N_PAGES + 1, PAGE_SIZE);
		assert_int_not_equal(image.base, 0);
		region.image = &image;
		region.offset = PAGE_SIZE;
		for (unsigned i = 0; i < N_PAGES; i++)
			for (unsigned k = 0; k < 512; k++)
				image_words(i)[k] = i * 512 + k;
	}
	assert_int_equal(region_map(&ept, &region), OK);
}

static int setup(void **state)
{
	frame_reset();
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	memset(stacks, 0, sizeof(stacks));
	memset(has_filled, 0, sizeof(has_filled));
	set_two_nodes();
	for (unsigned i = 0; i < N_CPUS; i++)
		stacks[i].node = i % 2;
	stack_here = &stacks[0];
	my_index = 0;
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	prealloc_reset();
	return 0;
}

static struct prealloc_cpu cpu_of(uint32_t index)
{
	return (struct prealloc_cpu){.index = index, .node = index % 2};
}

static struct prealloc work_of(uint32_t n_cpus)
{
	return (struct prealloc){.lock = &lock, .ept = &ept, .region = &region, .n_cpus = n_cpus};
}

static phys_t own_frame_of(uint64_t page)
{
	unsigned level;
	gpa_t gpa = gpa_add(region.gpa, page * PAGE_SIZE);
	uint64_t entry = ept_lookup(&ept, gpa, &level);

	return entry & EPT_OWN ? ept_frame_at(entry, level, gpa) : 0;
}

/* Whether the stretch is one large page. */
static bool is_large(uint64_t gpa)
{
	unsigned level;

	(void)ept_lookup(&ept, (gpa_t){gpa}, &level);
	return level == 1;
}

/* How many stretches are. */
static unsigned count_large(void)
{
	unsigned n = 0;

	for (uint64_t gpa = align_up(GPA, MIB(2)); gpa < GPA + region.len; gpa += MIB(2))
		n += is_large(gpa);
	return n;
}

/* Every page is the tree's own, each has its own frame, and the contents are unchanged. */
static void assert_filled(void)
{
	static bool seen[N_FRAMES];

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < N_PAGES; i++) {
		phys_t frame = own_frame_of(i);
		const uint64_t *words = phys_to_virt(frame);

		assert_int_not_equal(frame, 0);
		assert_false(seen[(frame - START) / PAGE_SIZE]);
		seen[(frame - START) / PAGE_SIZE] = true;
		for (unsigned k = 0; k < 512; k++)
			assert_int_equal(words[k], region.image ? i * 512 + k : 0);
	}
	/* Root, two tables, one table per stretch that is not one large page, and their log. */
	ept_reclaim(&ept);
	assert_int_equal(ept.n_owned, N_PAGES + 3 + 4 - count_large() + ept.log.n_chunks);
}

static void *serve(void *arg)
{
	my_index = (uint32_t)(uintptr_t)arg;
	stack_here = &stacks[my_index];
	prealloc_serve(cpu_of(my_index));
	return NULL;
}

/* Processor 0 fills with the help of the others. */
static enum status fill_together(const struct prealloc *work)
{
	pthread_t threads[N_CPUS];
	enum status status;

	for (uintptr_t i = 1; i < N_CPUS; i++)
		pthread_create(&threads[i], NULL, serve, (void *)i);
	status = prealloc_fill(work, cpu_of(0));
	prealloc_end();
	for (unsigned i = 1; i < N_CPUS; i++)
		pthread_join(threads[i], NULL);
	return status;
}

static void destroy(uint64_t available)
{
	ept_destroy(&ept);
	if (region.image != NULL)
		frame_free_run(image.base, N_PAGES + 1);
	assert_int_equal(frame_available(), available);
}

static void one_processor_fills_it_all(void **state)
{
	uint64_t available = frame_available();
	struct prealloc work = work_of(1);

	for (unsigned anonymous = 0; anonymous < 2; anonymous++) {
		uint64_t generation;

		make_region(anonymous);
		generation = ept.generation;
		assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
		assert_filled();
		assert_true(ept.generation > generation);
		/* Neither before the region nor after it. */
		for (unsigned i = 0; i < 2; i++) {
			unsigned level;
			gpa_t gpa = {i == 0 ? GPA - 1 : GPA + region.len};

			assert_int_equal(ept_lookup(&ept, gpa, &level), 0);
		}
		destroy(available);
	}
}

static unsigned n_told;

static void note_progress(void)
{
	n_told++;
}

static void progress_is_told_after_each_stretch(void **state)
{
	uint64_t available = frame_available();
	struct prealloc work = work_of(1);

	make_region(true);
	work.progress = note_progress;
	n_told = 0;
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
	assert_int_equal(n_told, 4);
	destroy(available);
}

static void several_processors_fill_it_together(void **state)
{
	uint64_t available = frame_available();
	struct prealloc work = work_of(N_CPUS);

	for (unsigned round = 0; round < 20; round++) {
		make_region(round % 2);
		prealloc_reset();
		assert_int_equal(fill_together(&work), OK);
		assert_filled();
		destroy(available);
	}
}

static void a_page_the_vm_has_already_stays(void **state)
{
	uint64_t available = frame_available();
	struct prealloc work = work_of(1);
	phys_t frame;

	make_region(false);
	assert_int_equal(ept_copy(&ept, gpa_add(region.gpa, 7 * PAGE_SIZE), &frame), OK);
	*(uint64_t *)phys_to_virt(frame) = 42;
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
	/* Its contents do: it is now a part of a large page. */
	frame = own_frame_of(7);
	assert_int_equal(*(uint64_t *)phys_to_virt(frame), 42);
	*(uint64_t *)phys_to_virt(frame) = 7 * 512;
	assert_filled();
	/* Again: nothing is left to do. */
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
	assert_int_equal(own_frame_of(7), frame);
	assert_filled();
	destroy(available);
}

static void no_more_processors_than_asked_for(void **state)
{
	for (unsigned n = 1; n <= N_CPUS; n++) {
		struct prealloc work = work_of(n);

		for (unsigned round = 0; round < 5; round++) {
			unsigned n_filled = 0;

			setup(NULL);
			make_region(true);
			memset(has_filled, 0, sizeof(has_filled)); /* by mapping */
			assert_int_equal(fill_together(&work), OK);
			assert_filled();
			for (unsigned i = 0; i < N_CPUS; i++)
				n_filled += has_filled[i];
			assert_in_range(n_filled, 1, n);
		}
	}
}

static void affinity_says_which_processors(void **state)
{
	static const struct {
		uint64_t cpus, nodes, allowed;
	} cases[] = {
		{0, 0, 0xf}, {1, 0, 1},	  {2, 0, 2},   {0xc, 0, 0xc}, {0xf0, 0, 0},
		{0, 1, 0x5}, {0, 2, 0xa}, {0, 3, 0xf}, {0, 4, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thread_context context = {
			.has_cpus = cases[i].cpus != 0,
			.has_nodes = cases[i].nodes != 0,
			.cpus = {cases[i].cpus},
			.nodes = {cases[i].nodes},
		};
		struct prealloc work = work_of(N_CPUS);

		work.context = &context;
		for (unsigned n = 0; n < N_CPUS; n++)
			assert_int_equal(prealloc_allows(&context, cpu_of(n)),
					 cases[i].allowed >> n & 1);
		if (cases[i].allowed == 0)
			continue;
		setup(NULL);
		make_region(true);
		memset(has_filled, 0, sizeof(has_filled)); /* by mapping */
		assert_int_equal(fill_together(&work), OK);
		for (unsigned n = 0; n < N_CPUS; n++)
			assert_true(!has_filled[n] || cases[i].allowed >> n & 1);
	}
	assert_true(prealloc_allows(NULL, cpu_of(3)));
	assert_false(prealloc_allows(
		&(struct thread_context){.has_cpus = true, .has_nodes = true},
		(struct prealloc_cpu){.index = CONTEXT_CPUS_MAX, .node = CONTEXT_NODES_MAX}));
}

static void pages_come_from_the_nodes_of_the_policy(void **state)
{
	struct prealloc work = work_of(N_CPUS);

	work.policy = (struct frame_policy){.mode = FRAME_BIND, .nodes = {2}};
	make_region(true);
	assert_int_equal(fill_together(&work), OK);
	for (unsigned i = 0; i < N_PAGES; i++)
		assert_int_equal(numa_node_of(&numa, own_frame_of(i)), 1);

	setup(NULL);
	work.policy = (struct frame_policy){.mode = FRAME_INTERLEAVE, .nodes = {3}};
	work.first_page = 1;
	make_region(true);
	assert_int_equal(fill_together(&work), OK);
	/* Large pages have turns of their own. */
	assert_int_equal(count_large(), 2);
	for (unsigned i = 0; i < N_PAGES; i++) {
		unsigned turn = i < 3 || i >= 3 + 1024 ? i + 1 : (i - 3) / 512;

		assert_int_equal(numa_node_of(&numa, own_frame_of(i)), turn % 2);
	}
}

/* Fill the region and make sure that nothing is lost. Returns how many large pages it has. */
static unsigned fill_and_count(uint64_t preferred_nodes)
{
	uint64_t available = frame_available();
	struct prealloc work = work_of(1);
	unsigned n;

	work.policy = (struct frame_policy){.mode = FRAME_PREFERRED, .nodes = {preferred_nodes}};
	make_region(false);
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
	assert_filled();
	n = count_large();
	destroy(available);
	return n;
}

/* Also over a file, whose frames have no such alignment. */
static void whole_stretches_are_large_pages(void **state)
{
	static const struct frame_policy local = {.mode = FRAME_LOCAL};
	static phys_t taken[N_FRAMES];
	uint64_t available = frame_available(), n = 0;

	assert_int_equal(fill_and_count(2), 2);
	/* Every second frame of node 0 is free. */
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	for (uint64_t i = 0; i < n; i++)
		if (taken[i] / PAGE_SIZE % 2 == 0 || numa_node_of(&numa, taken[i]) == 1)
			frame_free(taken[i]);
	assert_int_equal(frame_alloc_block_by(&local, 0), 0);
	assert_int_equal(fill_and_count(1), 0);
	for (uint64_t i = 0; i < n; i++)
		if (taken[i] / PAGE_SIZE % 2 == 1 && numa_node_of(&numa, taken[i]) == 0)
			frame_free(taken[i]);
	assert_int_equal(frame_available(), available);
}

/* As it is for a guest's memory, and for the blocks of a disk. */
static void devices_write_into_large_pages_where_they_lie(void **state)
{
	static struct mem_map map;
	struct guest_memory memory = {.ept = &ept, .map = &map};
	struct prealloc work = work_of(1);
	const uint64_t bytes = 4711;
	uint64_t n_owned;

	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	for (unsigned hidden = 0; hidden < 2; hidden++) {
		gpa_t gpa = {(hidden ? MEM_HIDDEN_START : 0) + MIB(4)},
		      last = gpa_add(gpa, MIB(2) - 8);

		region = (struct mem_region){.gpa = gpa, .len = MIB(2), .kind = MEM_COW};
		map = (struct mem_map){0};
		assert_int_equal(mem_map_add(&map, &region), OK);
		assert_int_equal(region_map(&ept, &region), OK);
		assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
		n_owned = ept.n_owned;
		if (hidden)
			assert_int_equal(hidden_write(&memory, last, &bytes, 8), OK);
		else
			assert_int_equal(guest_write(&memory, last, &bytes, 8), OK);
		assert_int_equal(*(const uint64_t *)(hidden ? hidden_byte(&memory, last)
							    : guest_byte(&memory, last)),
				 bytes);
		assert_int_equal(((uint64_t *)phys_to_virt(own_frame_of(FRAME_BLOCK - 1)))[511],
				 bytes);
		assert_true(is_large(gpa.raw));
		assert_int_equal(ept.n_owned, n_owned);
	}
}

static void a_processor_without_large_pages_gets_small_ones(void **state)
{
	struct prealloc work = work_of(1);

	make_region(true);
	ept_destroy(&ept);
	assert_int_equal(ept_init(&ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(region_map(&ept, &region), OK);
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), OK);
	assert_int_equal(count_large(), 0);
	assert_filled();
}

/* With each number of frames, from none to just enough. */
static void too_little_memory_is_told_and_given_back(void **state)
{
	uint64_t available = frame_available(), need = N_PAGES + 2;
	struct prealloc work = work_of(N_CPUS);

	make_region(true);
	for (uint64_t n = 0; n <= need; n += n < 16 || n > need - 4 ? 1 : 101) {
		uint64_t max = ept.n_owned + n;

		ept.max_owned = max;
		prealloc_reset();
		assert_int_equal(fill_together(&work), n == need ? OK : ERR_NOMEM);
		assert_true(ept.n_owned <= max);
		ept_destroy(&ept);
		assert_int_equal(frame_available(), available);
		make_region(true);
	}
	destroy(available);
}

static void a_node_that_is_full_ends_it(void **state)
{
	struct prealloc work = work_of(N_CPUS);
	struct frame_policy bind = {.mode = FRAME_BIND, .nodes = {2}};
	uint64_t available = frame_available(), n = 0;
	static phys_t taken[PART];

	work.policy = bind;
	make_region(true);
	while (frame_available_on(1) > N_PAGES - 1)
		assert_int_not_equal(taken[n++] = frame_alloc_by(&bind, 0), 0);
	assert_int_equal(fill_together(&work), ERR_NOMEM);
	while (n > 0)
		frame_free(taken[--n]);
	destroy(available);
}

static void a_region_beyond_its_file_is_refused(void **state)
{
	static const struct {
		uint64_t offset, len;
		enum status status;
	} cases[] = {
		{0, 2 * PAGE_SIZE, OK},
		{PAGE_SIZE, PAGE_SIZE, OK},
		{PAGE_SIZE, 2 * PAGE_SIZE, ERR_RANGE},
		{2 * PAGE_SIZE, PAGE_SIZE, ERR_RANGE},
		{UINT64_MAX - PAGE_SIZE + 1, PAGE_SIZE, ERR_RANGE},
		{123, PAGE_SIZE, ERR_INVAL},
	};
	/* The last page is not whole. */
	const struct image two_pages = {.base = START, .size = PAGE_SIZE + 1, .aligned = true};
	const struct image endless = {.base = START, .size = UINT64_MAX, .aligned = true};

	make_region(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mem_region part = {.gpa = {GIB(1)},
					  .len = cases[i].len,
					  .kind = MEM_COW,
					  .image = &two_pages,
					  .offset = cases[i].offset};

		assert_int_equal(region_map(&ept, &part), cases[i].status);
	}
	region = (struct mem_region){.gpa = {GIB(2)}, .len = PAGE_SIZE, .image = &endless};
	assert_int_equal(region_map(&ept, &region), ERR_RANGE);
	region = (struct mem_region){.gpa = {GIB(2)}, .len = PAGE_SIZE, .kind = MEM_SHARED};
	assert_int_equal(region_map(&ept, &region), ERR_INVAL); /* of no file */
}

static void a_hole_is_no_memory(void **state)
{
	struct prealloc work = work_of(1);

	make_region(true);
	assert_int_equal(ept_map(&ept, gpa_add(region.gpa, PAGE_SIZE), 0, PAGE_SIZE, 0), OK);
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), ERR_NOTFOUND);
	region.gpa.raw = BIT(EPT_GPA_BITS);
	assert_int_equal(prealloc_fill(&work, cpu_of(0)), ERR_RANGE);
}

static void a_single_copy_follows_the_policy_and_the_ceiling(void **state)
{
	struct frame_policy bind = {.mode = FRAME_BIND, .nodes = {2}};
	phys_t frame, again;

	make_region(false);
	assert_int_equal(ept_copy_by(&ept, region.gpa, &bind, 0, &frame), OK);
	assert_int_equal(numa_node_of(&numa, frame), 1);
	assert_memory_equal(phys_to_virt(frame), image_words(0), PAGE_SIZE);
	assert_int_equal(ept_copy_by(&ept, region.gpa, &bind, 0, &again), OK);
	assert_int_equal(again, frame);
	ept.max_owned = ept.n_owned;
	assert_int_equal(ept_copy_by(&ept, gpa_add(region.gpa, PAGE_SIZE), &bind, 0, &again),
			 ERR_NOMEM);
	ept.max_owned = EPT_UNLIMITED;
	bind.nodes[0] = 4;
	assert_int_equal(ept_copy_by(&ept, gpa_add(region.gpa, PAGE_SIZE), &bind, 0, &again),
			 ERR_NOMEM);
	assert_int_equal(ept_copy_by(&ept, (gpa_t){BIT(48)}, &bind, 0, &again), ERR_RANGE);
	assert_int_equal(ept_copy_by(&ept, (gpa_t){0}, &bind, 0, &again), ERR_NOTFOUND);
}

static void a_write_takes_its_frame_from_the_nodes_of_the_backend(void **state)
{
	struct backend backend = {.policy = POLICY_INTERLEAVE, .host_nodes = {3}, .offset = 0};
	phys_t frame;

	make_region(false);
	region.backend = &backend; /* begins at byte PAGE_SIZE of its backend */
	for (unsigned i = 0; i < 32; i++) {
		gpa_t gpa = gpa_add(region.gpa, i * PAGE_SIZE + 123);

		assert_int_equal(region_copy_page(&ept, &region, gpa, &frame), OK);
		assert_int_equal(numa_node_of(&numa, frame), (i + 1) % 2);
	}
	backend.policy = POLICY_BIND;
	backend.host_nodes[0] = 4;
	assert_int_equal(
		region_copy_page(&ept, &region, gpa_add(region.gpa, 40 * PAGE_SIZE), &frame),
		ERR_NOMEM);
	region.copies_anywhere = true;
	assert_int_equal(
		region_copy_page(&ept, &region, gpa_add(region.gpa, 40 * PAGE_SIZE), &frame), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_processor_fills_it_all, setup),
		cmocka_unit_test_setup(progress_is_told_after_each_stretch, setup),
		cmocka_unit_test_setup(several_processors_fill_it_together, setup),
		cmocka_unit_test_setup(a_page_the_vm_has_already_stays, setup),
		cmocka_unit_test_setup(no_more_processors_than_asked_for, setup),
		cmocka_unit_test_setup(affinity_says_which_processors, setup),
		cmocka_unit_test_setup(pages_come_from_the_nodes_of_the_policy, setup),
		cmocka_unit_test_setup(whole_stretches_are_large_pages, setup),
		cmocka_unit_test_setup(devices_write_into_large_pages_where_they_lie, setup),
		cmocka_unit_test_setup(a_processor_without_large_pages_gets_small_ones, setup),
		cmocka_unit_test_setup(too_little_memory_is_told_and_given_back, setup),
		cmocka_unit_test_setup(a_node_that_is_full_ends_it, setup),
		cmocka_unit_test_setup(a_region_beyond_its_file_is_refused, setup),
		cmocka_unit_test_setup(a_hole_is_no_memory, setup),
		cmocka_unit_test_setup(a_write_takes_its_frame_from_the_nodes_of_the_backend,
				       setup),
		cmocka_unit_test_setup(a_single_copy_follows_the_policy_and_the_ceiling, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
