/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What limits the number of clones, processors, nodes, pages and generations: lines "scale NAME
 * VALUE" for scripts/bench --scale. Counts are exact and must stay within bounds; times, in
 * picoseconds of the processor, are this machine's and are only printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hv/ept/ept.h"
#include "hv/frame/free_map.h"
#include "tests/threads/machine.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

enum { N_WRITES = 16 };

/* ---- locks ---- */

/* The locks that a clone's life takes, by where and how hv/ names them. */
static const struct {
	const char *name, *file, *argument;
} locks[] = {
	{"vms", "/vm/", "&vms_lock"},
	{"queue", "/sched.c", "&queue->lock"}, /* the calling processor's */
	{"others_queues", "/sched.c", "&queue->lock"},
	{"moves", "/sched.c", "&here->lock"},
	{"new", "/vm.c", "&list->lock"}, /* the calling processor's */
	{"others_new", "/vm.c", "&list->lock"},
	{"gather", "/vm.c", "&from->lock"},
	{"node", "/frame.c", "&stock->lock"},
	{"stacks", "/frame.c", "&frames.lock"},
	{"merged", "/merged.c", "&merged.lock"},
	{"own", ".c", "&vm->lock"},
};
static uint64_t n_taken[ARRAY_SIZE(locks)];

static bool is_meant(unsigned i, const struct lock *lock, const char *file, const char *name)
{
	if (strstr(file, locks[i].file) == NULL || strcmp(name, locks[i].argument) != 0)
		return false;
	if (strcmp(locks[i].name, "new") == 0)
		return lock == &this_cpu()->new_vms.lock;
	return strcmp(locks[i].name, "queue") != 0 || lock == &this_cpu()->queue.lock;
}

bool lock_count(struct lock *lock, const char *file, const char *name)
{
	if (lock->is_held)
		fail_msg("%s: %s is held", file, name);
	lock->is_held = true;
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++) {
		if (is_meant(i, lock, file, name)) {
			n_taken[i]++;
			return true;
		}
	}
	fail_msg("%s: %s has no name here", file, name);
	return true;
}

static void reset_locks(void)
{
	memset(n_taken, 0, sizeof(n_taken));
}

static uint64_t n_locks(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++)
		if (strcmp(locks[i].name, name) == 0)
			return n_taken[i];
	abort();
}

static void take_turns(unsigned n_processors, unsigned until)
{
	for (unsigned turn = 0; machine_n_ended < until; turn++) {
		machine_be(turn % n_processors);
		assert_true(machine_turn());
	}
}

/* Print each lock's acquisitions in a hundred lives. */
static void print_locks(unsigned n_processors, unsigned n_nodes, unsigned n_lives)
{
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++)
		printf("scale locks_%u_%u_%s %llu\n", n_processors, n_nodes, locks[i].name,
		       (unsigned long long)n_taken[i] * 100 / n_lives);
}

/*
 * In the second half of the lives, when each processor has its frames. Those of other processors'
 * nodes go back in batches.
 */
static void count_locks(unsigned n_processors, unsigned n_nodes)
{
	unsigned n_lives = 2048;

	machine_begin(n_processors, n_nodes, MIB(128) / n_nodes);
	machine_start(&(struct machine_work){.n_pages = N_WRITES,
					     .n_writes = N_WRITES,
					     .count = 2 * n_lives + 2 * n_processors,
					     .parallel = 2 * n_processors + 1});
	take_turns(n_processors, n_lives);
	reset_locks();
	take_turns(n_processors, 2 * n_lives);
	print_locks(n_processors, n_nodes, n_lives);
	assert_int_equal(machine_n_wrong, 0);
	/* The first clones were looked for while they were made. */
	assert_in_range(n_locks("new"), 2 * n_lives - 2 * n_processors - 1, 2 * n_lives);
	assert_in_range(n_locks("vms"), 0, 2 * n_processors + 1);
	assert_int_equal(n_locks("others_new") + n_locks("gather"), 0);
	assert_in_range(n_locks("queue"), n_lives, 5 * n_lives);
	assert_int_equal(n_locks("others_queues") + n_locks("moves"), 0);
	assert_in_range(n_locks("node"), 0, 3 * n_lives);
	assert_int_equal(n_locks("stacks") + n_locks("merged"), 0);
	take_turns(n_processors, 2 * n_lives + 2 * n_processors);
	machine_end();
}

static void a_life_takes_as_many_locks_on_many_processors(void **state)
{
	count_locks(1, 1);
	count_locks(64, 1);
	count_locks(64, 64);
	count_locks(256, 64);
}

/* ---- times ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One node with so much memory, which is there. */
static void begin_with(uint64_t size)
{
	static struct frame_stack stack;
	phys_t chain = 0, frame;

	numa = (struct numa){.n_nodes = 1, .n_spans = 1, .with_memory = {1}};
	stack_here = &stack;
	machine_frames_add(size);
	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = chain;
		chain = frame;
	}
	while (chain != 0) {
		frame = chain;
		chain = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
	assert_int_equal(ept_setup(), OK);
}

static void print_time(const char *name, uint64_t ns, uint64_t n)
{
	printf("scale %s %llu\n", name, (unsigned long long)(ns * 1000 / n));
}

static void print_since(const char *name, uint64_t start, uint64_t n)
{
	print_time(name, now_ns() - start, n);
}

/* ---- many clones ---- */

/* Lives while so many clones wait for their turn, in which each writes a page. */
static void time_lives(unsigned n_waiting, const char *name)
{
	enum { N_LIVES = 4096 };
	uint64_t start;

	machine_begin(1, 1, MIB(64));
	machine_start(&(struct machine_work){.n_pages = 1,
					     .n_writes = 1,
					     .count = n_waiting + 2 * N_LIVES,
					     .parallel = n_waiting});
	take_turns(1, N_LIVES);
	start = now_ns();
	take_turns(1, 2 * N_LIVES);
	print_since(name, start, N_LIVES);
	take_turns(1, n_waiting + 2 * N_LIVES);
	assert_int_equal(machine_n_wrong, 0);
	assert_int_equal(vm_totals.n_failed, 0);
	machine_end();
}

static void ten_thousand_clones_take_turns(void **state)
{
	time_lives(10, "life_of_10_ps");
	time_lives(10000, "life_of_10000_ps");
}

/* ---- a large template ---- */

static void make_tree(struct ept *ept, uint64_t size)
{
	assert_int_equal(ept_init(ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map_zero(ept, (gpa_t){0}, size), OK);
}

static void write_page(struct ept *ept, uint64_t page)
{
	phys_t frame;

	assert_int_equal(ept_copy(ept, (gpa_t){page * PAGE_SIZE}, &frame), OK);
	*(uint64_t *)phys_to_virt(frame) = page;
}

/* Picoseconds a page of freezing it, of a checksum, and of freeing it; frames for 1000 pages. */
static void a_template_costs_by_its_pages(void **state)
{
	enum { N_PAGES = 65536 };
	struct ept_layer_sum sum = {0};
	struct ept_layer *layer;
	struct ept ept;
	uint64_t start, n_free;

	begin_with(MIB(320));
	n_free = frame_available();
	make_tree(&ept, GIB(512));
	for (uint64_t i = 0; i < N_PAGES; i++)
		write_page(&ept, i);
	start = now_ns();
	assert_int_equal(ept_freeze(&ept, &layer), OK);
	while (ept_layer_freeze_some(layer, 1000))
		;
	print_since("freeze_page_ps", start, N_PAGES);
	ept_destroy(&ept);
	assert_in_range(layer->n_owned, N_PAGES + N_PAGES / 256, N_PAGES + N_PAGES / 128);
	printf("scale template_frames_of_100000_pages %llu\n",
	       (unsigned long long)layer->n_owned * 100000 / N_PAGES);
	start = now_ns();
	while (ept_layer_sum_some(layer, &sum, 1000))
		;
	print_since("checksum_page_ps", start, N_PAGES);
	start = now_ns();
	while (ept_layer_free_some(layer, 1000))
		;
	ept_layer_put(layer);
	print_since("free_page_ps", start, N_PAGES);
	assert_int_equal(frame_available(), n_free);
}

/* The tables of 512 GiB that no page of is written, and of one page in each 2 MiB of 64 GiB. */
static void a_sparse_template_costs_by_its_tables(void **state)
{
	struct ept ept;
	uint64_t n_free;

	begin_with(GIB(1));
	n_free = frame_available();
	make_tree(&ept, GIB(512));
	printf("scale empty_512g_frames %llu\n", (unsigned long long)ept.n_owned);
	assert_in_range(ept.n_owned, 1, 4);
	for (uint64_t i = 0; i < GIB(64) / MIB(2); i++)
		write_page(&ept, i * 512);
	printf("scale sparse_64g_frames %llu\n", (unsigned long long)ept.n_owned);
	assert_in_range(ept.n_owned, 2 * GIB(64) / MIB(2), 3 * GIB(64) / MIB(2));
	ept_destroy(&ept);
	assert_int_equal(frame_available(), n_free);
}

/* ---- a chain of templates ---- */

/* Each one has written one page. */
static uint64_t extend_chain(struct ept *ept, unsigned n)
{
	uint64_t n_frames = frame_available();

	for (unsigned i = 0; i < n; i++) {
		struct ept_layer *layer;

		write_page(ept, i);
		assert_int_equal(ept_freeze(ept, &layer), OK);
		while (ept_layer_freeze_some(layer, 1000))
			;
		ept_layer_put(layer);
	}
	return n_frames - frame_available();
}

/* Copies at the end of a chain cost what they cost at its beginning. The fastest of some times. */
static uint64_t copies_at_depth(struct ept *ept, const char *name)
{
	enum { N_COPIES = 4096, N_TIMES = 5 };
	uint64_t best = UINT64_MAX, n_made = 0;

	for (unsigned time = 0; time < N_TIMES; time++) {
		uint64_t start = now_ns(), n_before = ept->n_owned;

		for (uint64_t i = 0; i < N_COPIES; i++)
			write_page(ept, 512 + i);
		if (now_ns() - start < best)
			best = now_ns() - start;
		n_made = ept->n_owned - n_before;
		ept_reset(ept);
	}
	print_time(name, best, N_COPIES);
	return n_made;
}

static void a_chain_of_a_thousand_costs_by_its_length(void **state)
{
	enum { LENGTH = 1000 };
	uint64_t start, n_free, n_frames, n_shallow;
	struct ept ept;

	begin_with(MIB(64));
	n_free = frame_available();
	make_tree(&ept, GIB(1));
	(void)extend_chain(&ept, 1);
	n_shallow = copies_at_depth(&ept, "copy_at_depth_1_ps");
	start = now_ns();
	n_frames = extend_chain(&ept, LENGTH);
	print_since("chain_link_ps", start, LENGTH);
	printf("scale chain_frames_of_1000 %llu\n", (unsigned long long)n_frames);
	assert_in_range(n_frames, LENGTH, 8 * LENGTH);
	assert_int_equal(copies_at_depth(&ept, "copy_at_depth_1000_ps"), n_shallow);
	start = now_ns();
	ept_destroy(&ept);
	print_since("chain_free_ps", start, LENGTH);
	assert_int_equal(frame_available(), n_free);
}

/* ---- 1 TiB ---- */

enum { N_NODES = 64 };

static void set_nodes(uint64_t node_size)
{
	numa.n_nodes = numa.n_spans = N_NODES;
	for (unsigned node = 0; node < N_NODES; node++) {
		numa.span[node].start = node ? MACHINE_FRAMES_START + node * node_size : 0;
		numa.span[node].node = node;
		numa_set_add(numa.with_memory, node);
	}
}

/*
 * Each node has 16 GiB, of which only what is used is there, and a processor. The map of free
 * frames is in the memory itself.
 */
static void a_tebibyte_on_64_nodes_has_records_of_40_mib(void **state)
{
	enum { N_FRAMES = 64 };
	uint64_t n_free = (GIB(1024) - 1024 * FREE_MAP_RECORDS - 2 * FREE_MAP_GIBS) / PAGE_SIZE;
	static struct frame_stack stacks[N_NODES];
	static phys_t frame[N_NODES][N_FRAMES];

	set_nodes(GIB(16));
	free_map_is_apart = false;
	machine_frames_add(GIB(1024));
	free_map_is_apart = true;
	printf("scale records_of_a_tib_kib %llu\n",
	       (unsigned long long)(GIB(1024) / 1024 - frame_available() * 4));
	assert_int_equal(frame_available(), n_free);
	reset_locks();
	for (unsigned node = 0; node < N_NODES; node++) {
		stack_here = &stacks[node];
		stack_here->node = node;
		for (unsigned i = 0; i < N_FRAMES; i++) {
			frame[node][i] = frame_alloc();
			assert_int_equal(numa_node_of(&numa, frame[node][i]), node);
		}
	}
	printf("scale node_locks_of_64_frames %llu\n",
	       (unsigned long long)n_locks("node") / N_NODES);
	assert_int_equal(n_locks("node"), N_NODES * N_FRAMES / FRAME_BATCH);
	for (unsigned node = 0; node < N_NODES; node++)
		for (unsigned i = 0; i < N_FRAMES; i++)
			frame_free(frame[node][i]);
	assert_int_equal(frame_available(), n_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life_takes_as_many_locks_on_many_processors),
		cmocka_unit_test(ten_thousand_clones_take_turns),
		cmocka_unit_test(a_template_costs_by_its_pages),
		cmocka_unit_test(a_sparse_template_costs_by_its_tables),
		cmocka_unit_test(a_chain_of_a_thousand_costs_by_its_length),
		cmocka_unit_test(a_tebibyte_on_64_nodes_has_records_of_40_mib),
	};

	machine_be(0); /* for this_cpu() in lock_count() */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
