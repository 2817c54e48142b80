/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors, each on its own node, allocate and free frames at once, of their node and of the
 * other, and hand some over to each other. No frame is given twice, and none is lost.
 */
#include <pthread.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

enum { N_THREADS = 2, N_NODE_FRAMES = 2048, N_SLOTS = 64, N_STEPS = 300000 };
#define START MIB(16)

static phys_t slots[N_SLOTS]; /* frames on their way to another thread; atomic */
static uint64_t n_made[N_THREADS];
static uint64_t n_wrong; /* bytes that another holder of a frame changed; atomic */

static void set_machine(void)
{
	numa = (struct numa){
		.n_nodes = N_THREADS,
		.n_spans = N_THREADS,
		.span = {{0, 0}, {START + N_NODE_FRAMES * PAGE_SIZE, 1}},
		.distance = {{10, 20}, {20, 10}},
		.with_memory = {3},
	};
	phys_arena(START, N_THREADS * N_NODE_FRAMES * PAGE_SIZE);
	frame_add_range(START, N_THREADS * N_NODE_FRAMES * PAGE_SIZE);
}

static phys_t make(unsigned self, unsigned random)
{
	static const struct frame_policy policies[] = {
		{.mode = FRAME_LOCAL},
		{.mode = FRAME_BIND, .nodes = {1}},
		{.mode = FRAME_INTERLEAVE, .nodes = {3}},
		{.mode = FRAME_PREFERRED, .nodes = {2}},
	};
	phys_t frame = random % 64 == 0
			       ? frame_alloc_vm_run(1)
			       : frame_alloc_by(&policies[random % ARRAY_SIZE(policies)], random);

	if (frame == 0)
		return 0;
	memset(phys_to_virt(frame), (int)(frame / PAGE_SIZE % 251), PAGE_SIZE);
	n_made[self]++;
	return frame;
}

static void end(phys_t frame)
{
	const uint8_t *bytes = phys_to_virt(frame);

	if (frame == 0)
		return;
	for (unsigned i = 0; i < PAGE_SIZE; i += 64)
		if (bytes[i] != frame / PAGE_SIZE % 251)
			__atomic_fetch_add(&n_wrong, 1, __ATOMIC_RELAXED);
	frame_free(frame);
}

/*
 * Each step puts a frame, or none, into a slot, and ends what was there. The count of free frames
 * is only exact when the threads are through; they ask for it because ThreadSanitizer looks on.
 * cmocka's assertions are for its own thread.
 */
static void *work(void *context)
{
	static struct frame_stack stacks[N_THREADS];
	unsigned self = *(const unsigned *)context, random = self + 1;

	stacks[self].node = self;
	stack_here = &stacks[self];
	for (unsigned i = 0; i < N_STEPS; i++) {
		phys_t frame = 0;

		random = random * 1664525 + 1013904223;
		if (random >> 31)
			frame = make(self, random >> 8);
		end(__atomic_exchange_n(&slots[(random >> 20) % N_SLOTS], frame, __ATOMIC_ACQ_REL));
		if (i % 1024 == 0)
			(void)frame_available();
	}
	return NULL;
}

static void no_frame_is_given_twice_and_none_is_lost(void **state)
{
	unsigned self[N_THREADS] = {0, 1};
	pthread_t thread[N_THREADS];

	set_machine();
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, &self[i]), 0);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (unsigned i = 0; i < N_SLOTS; i++)
		end(slots[i]);
	assert_int_equal(n_wrong, 0);
	assert_true(n_made[0] > N_STEPS / 3 && n_made[1] > N_STEPS / 3);
	assert_int_equal(frame_available(), N_THREADS * N_NODE_FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_frame_is_given_twice_and_none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
