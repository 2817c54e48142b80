/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the heap with a flat list of its contents. */
#include "hv/lib/deadline.h"

#include "tests/unit/support.h"

#define N	600
#define N_STEPS 200000

static struct deadline all[N];
static bool is_in[N];
static struct deadlines heap;
static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % n;
}

static uint64_t earliest(void)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < N; i++)
		if (is_in[i] && all[i].at < at)
			at = all[i].at;
	return at;
}

/* Every node's links lead back to the node, and no node is earlier than its parent. */
static unsigned count(const struct deadline *node, const struct deadline *before, uint64_t at)
{
	unsigned n = 0;

	for (; node; before = node, node = node->next) {
		assert_ptr_equal(node->before, before);
		assert_true(node->at >= at);
		n += 1 + count(node->child, node, node->at);
	}
	return n;
}

static unsigned count_in(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += is_in[i];
	return n;
}

static void toggle(unsigned i, uint64_t range)
{
	if (is_in[i]) {
		deadline_remove(&heap, &all[i]);
	} else {
		all[i].at = random_below(range);
		deadline_add(&heap, &all[i]);
	}
	is_in[i] = !is_in[i];
}

static void an_empty_heap_is_never_due(void **state)
{
	assert_true(deadline_next(&heap) == UINT64_MAX);
}

static void the_earliest_is_at_hand_whatever_comes_and_goes(void **state)
{
	for (unsigned step = 0; step < N_STEPS; step++) {
		toggle((unsigned)random_below(N), step & 1 ? 8 : 1000000);
		if (step % 97 == 0) {
			assert_true(deadline_next(&heap) == earliest());
			assert_int_equal(count(heap.first, NULL, 0), count_in());
		}
	}
}

static void the_first_leave_in_order(void **state)
{
	uint64_t last = 0;
	unsigned n = count_in();

	for (; heap.first; n--) {
		assert_true(heap.first->at >= last);
		last = heap.first->at;
		deadline_remove(&heap, heap.first);
	}
	assert_int_equal(n, 0);
}

static void a_deadline_is_the_same_time_in_another_clock(void **state)
{
	assert_true(deadline_translate(150, 100, 5000) == 5050);
	assert_true(deadline_translate(100, 100, 5000) == 5000);
	assert_true(deadline_translate(99, 100, 5000) == 5000); /* over: due at once */
	assert_true(deadline_translate(150, 100, UINT64_MAX - 50) == UINT64_MAX);
	/* A guest has set its TSC back, and its deadline to the end of time. */
	assert_true(deadline_translate(UINT64_MAX - 1, 0, 5000) == UINT64_MAX);
	assert_true(deadline_translate(UINT64_MAX, UINT64_MAX - 5, 5000) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_heap_is_never_due),
		cmocka_unit_test(the_earliest_is_at_hand_whatever_comes_and_goes),
		cmocka_unit_test(the_first_leave_in_order),
		cmocka_unit_test(a_deadline_is_the_same_time_in_another_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
