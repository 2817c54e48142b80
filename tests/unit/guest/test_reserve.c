/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved frames: only their holder gets them, their holder needs no others, and none is lost. */
#include "hv/guest/reserve.h"

#include <string.h>

#include "hv/frame/numa.h"
#include "hv/frame/numa_parse.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

#define START	 MIB(2)
#define N_FRAMES 4096
#define N_PAGES	 600 /* in two stretches of 2 MiB */
#define GPA	 (MIB(4) - 88 * PAGE_SIZE)

static struct ept ept;
static struct mem_map map;
static struct backend backend;
static uint64_t n_free;

static void set_nodes(unsigned n)
{
	memset(&numa, 0, sizeof(numa));
	numa.n_nodes = numa.n_spans = n;
	numa.span[1] = (struct numa_span){START + N_FRAMES / 2 * PAGE_SIZE, 1};
	for (unsigned i = 0; i < 4; i++)
		numa.distance[i / 2][i % 2] = i % 3 == 0 ? NUMA_LOCAL : NUMA_REMOTE;
	numa_add_memory(&numa, START, N_FRAMES * PAGE_SIZE);
}

static void make_vm(void)
{
	struct mem_region region = {
		.gpa = {GPA}, .len = N_PAGES * PAGE_SIZE, .kind = MEM_COW, .backend = &backend};

	map.n = 0;
	n_free = frame_available();
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&ept, &map.region[0]), OK);
}

static int setup(void **state)
{
	frame_reset();
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	set_nodes(1);
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	backend =
		(struct backend){.id = "m", .kind = MEM_COW, .reserve = true, .has_reserve = true};
	log_reset();
	make_vm();
	return 0;
}

static void end_vm(void)
{
	reserve_end(&map);
	ept_destroy(&ept);
	assert_int_equal(frame_available(), n_free);
}

/* Allocate all other frames, as a chain. */
static phys_t eat(void)
{
	phys_t chain = 0, frame;

	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = chain;
		chain = frame;
	}
	return chain;
}

static void give_back(phys_t chain)
{
	while (chain != 0) {
		phys_t frame = chain;

		chain = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
}

static enum status write_page(unsigned i, phys_t *ret)
{
	return region_copy_page(&ept, &map.region[0], gpa_add(map.region[0].gpa, i * PAGE_SIZE),
				ret);
}

static void all_pages_come_when_nothing_else_is_left(void **state)
{
	phys_t eaten, frame;

	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	assert_false(map.region[0].copies_anywhere);
	eaten = eat();
	assert_int_equal(frame_available(), 0);
	for (unsigned i = 0; i < N_PAGES; i++)
		assert_int_equal(write_page(i, &frame), OK);
	give_back(eaten);
	end_vm();
}

static void without_a_reserve_they_do_not(void **state)
{
	phys_t eaten = eat(), frame;

	assert_int_equal(write_page(0, &frame), ERR_NOMEM);
	give_back(eaten);
	end_vm();
}

static void each_page_takes_one_off(void **state)
{
	uint64_t n_after;
	phys_t frame;

	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	n_after = frame_available();
	assert_int_equal(map.region[0].reserve->n, N_PAGES + N_PAGES / EPT_LOG_CHUNK_ITEMS + 1);
	for (unsigned i = 0; i < N_PAGES; i++)
		assert_int_equal(write_page(i, &frame), OK);
	assert_int_equal(frame_available(), n_after);
	assert_true(map.region[0].reserve->n <= 2);
	end_vm();
}

static void what_is_not_needed_goes_back(void **state)
{
	phys_t frame;

	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(write_page(i, &frame), OK);
	reserve_end(&map);
	assert_null(map.region[0].reserve);
	assert_true(map.region[0].copies_anywhere);
	assert_int_equal(frame_available(), n_free - ept.n_owned);
	assert_int_equal(write_page(200, &frame), OK);
	end_vm();
}

static void a_large_one_goes_back_in_pieces(void **state)
{
	uint64_t before;

	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	for (before = frame_available(); reserve_end_some(&map, 100); before = frame_available())
		assert_int_equal(frame_available(), before + 100);
	assert_null(map.region[0].reserve);
	assert_true(map.region[0].copies_anywhere);
	assert_int_equal(frame_available(), n_free - ept.n_owned);
	assert_false(reserve_end_some(&map, 100));
	end_vm();
}

static void only_those_who_ask_have_one(void **state)
{
	static const struct {
		enum mem_kind kind;
		bool reserve, has_reserve, prealloc, wanted;
	} rows[] = {
		{MEM_COW, true, true, false, true},   {MEM_COW, true, false, false, false},
		{MEM_COW, false, true, false, false}, {MEM_COW, true, true, true, false},
		{MEM_ROM, true, true, false, false},  {MEM_SHARED, true, true, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		backend.kind = rows[i].kind;
		backend.reserve = rows[i].reserve;
		backend.has_reserve = rows[i].has_reserve;
		backend.prealloc = rows[i].prealloc;
		assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
		assert_int_equal(map.region[0].reserve != NULL, rows[i].wanted);
		reserve_end(&map);
	}
	map.region[0].backend = NULL;
	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	assert_null(map.region[0].reserve);
	end_vm();
}

/* With every number of frames that is too small. */
static void too_little_memory_is_reported_and_given_back(void **state)
{
	for (uint64_t n = 0;; n++) {
		phys_t kept = 0, eaten;
		enum status status;

		for (uint64_t i = 0; i < n; i++) {
			phys_t frame = frame_alloc();

			*(phys_t *)phys_to_virt(frame) = kept;
			kept = frame;
		}
		eaten = eat();
		give_back(kept);
		log_reset();
		status = reserve_memory(&ept, &map, "v");
		give_back(eaten);
		if (status == OK) {
			/*
			 * The record; a table for the second stretch, as the
			 * first has one; the pages; the log.
			 */
			assert_int_equal(n, 1 + 1 + N_PAGES + N_PAGES / EPT_LOG_CHUNK_ITEMS + 1);
			break;
		}
		assert_int_equal(status, ERR_NOMEM);
		assert_non_null(strstr(logged, "error: v: 2400 KiB cannot be set aside for memory "
					       "'m' (reserve=on), "));
		end_vm();
		make_vm();
	}
	end_vm();
}

static void the_frames_are_those_of_the_policy(void **state)
{
	phys_t frame;

	set_nodes(2);
	frame_sort_by_node();
	backend.policy = POLICY_BIND;
	backend.host_nodes[0] = 2;
	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(write_page(i, &frame), OK);
		assert_int_equal(numa_node_of(&numa, frame), 1);
	}
	end_vm();
}

static void pages_interleave_as_long_as_there_are_others(void **state)
{
	phys_t frame, eaten;

	set_nodes(2);
	frame_sort_by_node();
	backend.policy = POLICY_INTERLEAVE;
	backend.host_nodes[0] = 3;
	assert_int_equal(reserve_memory(&ept, &map, "v"), OK);
	for (unsigned i = 64; i > 0; i--) {
		assert_int_equal(write_page(i, &frame), OK);
		assert_int_equal(numa_node_of(&numa, frame), i % 2);
	}
	eaten = eat();
	for (unsigned i = 65; i < N_PAGES; i++)
		assert_int_equal(write_page(i, &frame), OK);
	give_back(eaten);
	end_vm();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_pages_come_when_nothing_else_is_left, setup),
		cmocka_unit_test_setup(without_a_reserve_they_do_not, setup),
		cmocka_unit_test_setup(each_page_takes_one_off, setup),
		cmocka_unit_test_setup(what_is_not_needed_goes_back, setup),
		cmocka_unit_test_setup(a_large_one_goes_back_in_pieces, setup),
		cmocka_unit_test_setup(only_those_who_ask_have_one, setup),
		cmocka_unit_test_setup(too_little_memory_is_reported_and_given_back, setup),
		cmocka_unit_test_setup(the_frames_are_those_of_the_policy, setup),
		cmocka_unit_test_setup(pages_interleave_as_long_as_there_are_others, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
