/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines "clone TEMPLATE ..." and "vm NAME -incoming template:TEMPLATE". */
#include "hv/config/template_lines.h"

#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

#define TEMPLATE "vm t -m 16M -kernel /k\n"

static void a_line_of_few_words_makes_one_clone(void **state)
{
	assert_true(run(TEMPLATE "clone t"));
	assert_string_equal(config.clones->template, "t");
	assert_null(config.clones->name);
	assert_int_equal(config.clones->count, 1);
	assert_int_equal(config.clones->parallel, UINT32_MAX);
	assert_false(config.clones->paused);
	assert_null(config.clones->next);
}

static void parameters_are_read(void **state)
{
	assert_true(run(TEMPLATE "clone t count=1000 parallel=0x10 paused=on\n"
				 "clone t-3 paused=off\n"
				 "vm last -incoming template:t-3-0\n"));
	assert_int_equal(config.clones->count, 1000);
	assert_int_equal(config.clones->parallel, 16);
	assert_true(config.clones->paused);
	assert_false(config.clones->next->paused);
	assert_string_equal(config.clones->next->next->name, "last");
	assert_string_equal(config.clones->next->next->template, "t-3-0");
}

#define PARAMETERS \
	"error:       = parameters: count=N parallel=N paused=on max-private=SIZE precopy=on\n"
#define ONLY_T "error:       = the only VM is 't'\n"

static void what_is_wrong_is_reported_with_its_place(void **state)
{
	static const struct {
		const char *text, *reported;
	} cases[] = {
		{"clone t count=0",
		 "error: t:2:15: Parameter 'count' expects a number of at least 1\n"},
		{"clone t parallel=x",
		 "error: t:2:18: Parameter 'parallel' expects a number of at least 1\n"},
		{"clone t paused=1", "error: t:2:16: Parameter 'paused' expects 'on' or 'off'\n"},
		{"clone t pause=on", "error: t:2:9: clone: Invalid parameter 'pause=on'\n"
				     "error:       = did you mean 'paused'?\n" PARAMETERS},
		{"clone t number=2 paralel=1",
		 "error: t:2:9: clone: Invalid parameter 'number=2'\n" PARAMETERS
		 "error: t:2:18: clone: Invalid parameter 'paralel=1'\n"
		 "error:       = did you mean 'parallel'?\n" PARAMETERS},
		{"clone t -count 3", "error: t:2:9: clone: Invalid parameter '-count'\n"
				     "error:       = did you mean 'count'?\n" PARAMETERS},
		{"clone t count", "error: t:2:9: clone: Invalid parameter 'count'\n" PARAMETERS},
		{"clone", "error: t:2:1: 'clone' needs the name of a template\n"},
		{"clone t count=-1",
		 "error: t:2:15: Parameter 'count' expects a number of at least 1\n"},
		{"clone t count=4294967296",
		 "error: t:2:15: Parameter 'count' expects a number of at least 1\n"},
		{"vm u -incoming template:t -m 1M",
		 "error: t:2:27: a VM with -incoming has the options of its template, and no "
		 "others\n"},
		{"vm u -m 1M -incoming template:t",
		 "error: t:2:6: a VM with -incoming has the options of its template, and no "
		 "others\n"},
		{"vm u -incoming template:t\nvm u -kernel k",
		 "error: t:3:4: vm 'u' is already defined in line 2\n"},
		{"clone t\nclone t--1",
		 "error: t:3:7: there is no VM 't--1' that could be a template\n" ONLY_T},
		{"clone t\nclone t+1",
		 "error: t:3:7: there is no VM 't+1' that could be a template\n" ONLY_T},
		{"clne t",
		 "error: t:2:1: a line begins with 'vm', 'template', 'clone', 'map', 'save' or "
		 "'host', not with 'clne'\n"
		 "error:       = did you mean 'clone'?\n"},
		{"vm tu -kernel k\nclone ut", "error: t:3:7: there is no VM 'ut' that could be a "
					      "template\n"},
		{"vm web-1 -kernel k\nclone web1",
		 "error: t:3:7: there is no VM 'web1' that could be "
		 "a template\n"
		 "error:       = did you mean 'web-1'?\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[128];

		snprintf(text, sizeof(text), TEMPLATE "%s\n", cases[i].text);
		assert_false(run(text));
		assert_string_equal(logged, cases[i].reported);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_few_words_makes_one_clone),
		cmocka_unit_test(parameters_are_read),
		cmocka_unit_test(what_is_wrong_is_reported_with_its_place),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
