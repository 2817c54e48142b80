/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest causes without end is logged a few times, and then counted. */
#include "hv/vm/tell.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "hv/vm/output.h"

static char output[65536];
static struct vm vm, template, clones[3];
static struct ept_layer layer;

/* The line goes the way of the guest's output, never through log_line(), which waits. */
void vm_output_put(struct vm *of, const char *line, size_t len)
{
	assert_in_range(len, 1, OUTPUT_LINE_MAX);
	assert_int_equal(line[len - 1], '\n');
	strncat(output, line, len);
}

static const struct vm *payer;

void vm_output_pays(struct vm *of)
{
	payer = of;
}

static int begin(void **state)
{
	payer = NULL;
	vm = (struct vm){.name = "one"};
	template = (struct vm){.name = "t"};
	for (unsigned i = 0; i < ARRAY_SIZE(clones); i++)
		clones[i] = (struct vm){.name = "t-?", .template = &template};
	output[0] = '\0';
	log_reset();
	log_set_level(LOG_DEBUG);
	return 0;
}

static void refuse(struct vm *of)
{
	vm_tell(of, VM_TOLD_NO_TEMPLATE, LOG_ERROR, "cannot become a template: %s", "labels");
}

static void a_line_is_said_once_then_counted(void **state)
{
	for (unsigned i = 0; i < 100000; i++)
		refuse(&vm);
	vm_tell(&vm, VM_TOLD_TRIPLE_FAULT, LOG_WARNING, "triple fault");
	assert_string_equal(output, "error: VM one: cannot become a template: labels\n"
				    "warning: VM one: triple fault\n");
	assert_string_equal(logged, "");
	vm_tell_rest(&vm);
	assert_string_equal(logged, "VM one: 99999 more lines about it were not shown\n");
	assert_ptr_equal(payer, &vm);
	payer = NULL;
	log_reset();
	vm_tell_rest(&vm);
	assert_string_equal(logged, "");
	assert_null(payer);
}

static void all_clones_of_a_template_have_one_budget(void **state)
{
	unsigned n_told = 0;

	for (unsigned i = 0; i < 1000; i++)
		n_told += vm_may_tell(&clones[i % 3], VM_TOLD_FAILED, LOG_ERROR);
	assert_int_equal(n_told, 8);
	assert_true(vm_may_tell(&clones[0], VM_TOLD_PAUSED, LOG_WARNING));
	template.layer = &layer;
	template.has_new_sum = true;
	template.n_clones_ended = 1001;
	template.n_clones_failed = 1000;
	vm_tell_rest(&clones[0]);
	vm_tell_clones(&template);
	assert_string_equal(logged,
			    "VM t: 1001 of its clones have ended, 1000 of them failed\n"
			    "VM t: 992 more lines about it and its clones were not shown\n");
}

static void the_sum_of_clones_is_logged_when_it_has_changed(void **state)
{
	vm_tell_clones(&template);
	assert_string_equal(logged, "");
	assert_null(payer);
	template.has_new_sum = true;
	template.n_clones_ended = 1;
	vm_tell_clones(&template);
	vm_tell_clones(&template);
	assert_string_equal(logged, "VM t: 1 of its clones has ended, 0 of them failed\n");
	assert_ptr_equal(payer, &template);
	log_reset();
	template.has_new_sum = true;
	template.n_clones_ended = 20;
	vm_tell_clones(&template);
	assert_string_equal(logged, "VM t: 20 of its clones have ended, 0 of them failed\n");
}

#define N_ENDS 500

static unsigned n_arrived; /* atomic */

/* One processor, on which clones end. */
static void *end_clones(void *told)
{
	unsigned n = 0;

	__atomic_fetch_add(&n_arrived, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&n_arrived, __ATOMIC_RELAXED) < 2)
		;
	for (unsigned i = 0; i < N_ENDS; i++)
		n += vm_may_tell(&clones[i % 3], VM_TOLD_FAILED, LOG_ERROR);
	*(unsigned *)told = n;
	return NULL;
}

/* Clones end on several processors at the same time. */
static void no_line_is_told_or_counted_twice(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		unsigned told[2];
		pthread_t other;

		begin(state);
		n_arrived = 0;
		assert_int_equal(pthread_create(&other, NULL, end_clones, &told[0]), 0);
		end_clones(&told[1]);
		assert_int_equal(pthread_join(other, NULL), 0);
		assert_int_equal(told[0] + told[1], 8);
		assert_int_equal(template.n_untold, 2 * N_ENDS - 8);
	}
}

static void a_line_above_the_level_is_not_counted(void **state)
{
	log_set_level(LOG_ERROR);
	for (unsigned i = 0; i < 10; i++)
		vm_tell(&vm, VM_TOLD_TRIPLE_FAULT, LOG_WARNING, "triple fault");
	assert_string_equal(output, "");
	log_set_level(LOG_DEBUG);
	vm_tell_rest(&vm);
	assert_string_equal(logged, "");
	vm_tell(&vm, VM_TOLD_TRIPLE_FAULT, LOG_WARNING, "triple fault");
	assert_string_equal(output, "warning: VM one: triple fault\n");
}

static void a_long_line_loses_its_end(void **state)
{
	static char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	vm_tell(&vm, VM_TOLD_PAUSED, LOG_WARNING, "%s", text);
	assert_int_equal(strlen(output), 511);
	assert_int_equal(output[510], '\n');
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_said_once_then_counted),
		TEST(all_clones_of_a_template_have_one_budget),
		TEST(the_sum_of_clones_is_logged_when_it_has_changed),
		TEST(no_line_is_told_or_counted_twice),
		TEST(a_line_above_the_level_is_not_counted),
		TEST(a_long_line_loses_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
