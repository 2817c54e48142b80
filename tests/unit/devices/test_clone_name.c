/* SPDX-License-Identifier: BSD-2-Clause */
/* No two clones have one number or one name. */
#include "hv/devices/clone_name.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "hv/vm/template.h"
#include "tests/unit/support.h"

#define DEPTH	 1000
#define N_ALARMS 300

static void a_clone_has_its_templates_name_and_its_number(void **state)
{
	char name[CLONE_NAME_SIZE];

	clone_name(name, "t", 0, 7);
	assert_string_equal(name, "t-0");
	clone_name(name, "t-0", 4294967295, 7);
	assert_string_equal(name, "t-0-4294967295");
	clone_name(name, "a1234567890123456789012345678901234567890123456789bc", 1234567890, 7);
	assert_string_equal(name,
			    "a1234567890123456789012345678901234567890123456789bc-1234567890");
}

static void a_long_name_keeps_what_tells_it_apart(void **state)
{
	char name[CLONE_NAME_SIZE];

	clone_name(name, "a1234567890123456789012345678901234567890123456789bcd", 1, 4294967295);
	assert_string_equal(name,
			    "a1234567890123456789012345678901234567890123456789bc~4294967295");
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void names_differ_at_any_depth(void **state)
{
	static char names[2 * DEPTH][CLONE_NAME_SIZE];
	const char *template = "t";

	for (uint32_t i = 0; i < DEPTH; i++) {
		clone_name(names[2 * i], template, 0, 2 * i + 1);
		clone_name(names[2 * i + 1], template, 1, 2 * i + 2);
		template = names[2 * i];
	}
	qsort(names, 2 * DEPTH, sizeof(names[0]), compare);
	for (unsigned i = 1; i < 2 * DEPTH; i++)
		assert_string_not_equal(names[i - 1], names[i]);
}

static struct vm template;
static volatile unsigned n_alarms;
static volatile uint32_t number; /* used, as by template_clone() */

static void take_number(int signal)
{
	(void)signal;
	number = template_next_number(&template);
	n_alarms++;
}

/* A signal stands for another processor. A number that is given twice is missing in the end. */
static void two_processors_give_different_numbers(void **state)
{
	static const struct itimerval often = {.it_interval.tv_usec = 20, .it_value.tv_usec = 20},
				      never;
	unsigned n = 0;

	assert_ptr_not_equal(signal(SIGALRM, take_number), SIG_ERR);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (; n_alarms < N_ALARMS; n++)
		number = template_next_number(&template);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_ptr_not_equal(signal(SIGALRM, SIG_DFL), SIG_ERR);
	assert_int_equal(template_next_number(&template), n + n_alarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_has_its_templates_name_and_its_number),
		cmocka_unit_test(a_long_name_keeps_what_tells_it_apart),
		cmocka_unit_test(names_differ_at_any_depth),
		cmocka_unit_test(two_processors_give_different_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
