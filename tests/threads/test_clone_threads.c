/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clones of one template are made, write, are reverted and end on two processors at once, under
 * ThreadSanitizer, while the operator looks at them, stops them and lets them continue. Each clone
 * finds the template's bytes, and its own after it has written.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "tests/threads/machine.h"
#include "tests/unit/support.h"

enum { N_THREADS = 2, N_CLONES = 1000 };

static void *be_processor(void *context)
{
	machine_be(*(const unsigned *)context);
	while (!machine_is_finished()) {
		if (!machine_turn())
			sched_yield();
		machine_look_around();
	}
	return NULL;
}

static unsigned destroys_at; /* clones that have ended; 0: never */

/* On a processor of its own, now and then: of three threads that wait for a lock, one may not run.
 */
static void *be_operator(void *context)
{
	static const struct timespec now_and_then = {.tv_nsec = 2000000};
	bool has_destroyed = destroys_at == 0;

	machine_be(N_THREADS);
	while (!machine_is_finished()) {
		machine_operate();
		nanosleep(&now_and_then, NULL);
		if (has_destroyed ||
		    __atomic_load_n(&machine_n_ended, __ATOMIC_RELAXED) < destroys_at)
			continue;
		machine_give_up();
		has_destroyed = true;
	}
	return NULL;
}

/* All free frames are counted when the threads are through. */
static void run(const struct machine_work *work)
{
	unsigned self[N_THREADS] = {0, 1};
	pthread_t thread[N_THREADS], operator;
	uint64_t n_free;

	machine_begin(N_THREADS + 1, N_THREADS, MIB(32));
	machine_hear();
	n_free = frame_available();
	machine_start(work);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, be_processor, &self[i]), 0);
	assert_int_equal(pthread_create(&operator, NULL, be_operator, NULL), 0);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(pthread_join(operator, NULL), 0);
	machine_end();
	assert_int_equal(machine_n_wrong, 0);
	assert_int_equal(vm_totals.n_failed, 0);
	assert_int_equal(frame_available(), n_free);
}

/* The next clone of the line starts where one has ended. */
static void clones_take_turns(void **state)
{
	run(&(struct machine_work){
		.n_pages = 120, .n_writes = 100, .n_reverts = 2, .count = N_CLONES, .parallel = 3});
}

/* All are there before the first one runs. */
static void clones_are_there_together(void **state)
{
	run(&(struct machine_work){
		.n_pages = 8, .n_writes = 4, .count = N_CLONES, .parallel = N_CLONES});
	assert_int_equal(machine_n_ended, N_CLONES);
}

/* Its memory is freed by a processor, after its last clone. */
static void a_template_is_destroyed_meanwhile(void **state)
{
	destroys_at = N_CLONES / 4;
	run(&(struct machine_work){.n_pages = 400,
				   .n_writes = 40,
				   .n_reverts = 1,
				   .count = UINT32_MAX,
				   .parallel = 4});
	assert_in_range(machine_n_ended, destroys_at, UINT32_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clones_take_turns),
		cmocka_unit_test(clones_are_there_together),
		cmocka_unit_test(a_template_is_destroyed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
