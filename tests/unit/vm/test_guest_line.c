/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/guest_line.h"

#include <string.h>

#include "tests/unit/support.h"

static char text[GUEST_LINE_MAX];

static void expect(const char *name, const char *bytes, size_t len, const char *shown)
{
	size_t n = guest_line_show(text, &(struct guest_line_name){0, name, ""}, bytes, len);

	assert_int_equal(n, strlen(shown));
	assert_memory_equal(text, shown, n);
}

static void text_stays(void **state)
{
	expect("a", "", 0, "a: \n");
	expect("a", "\tb ~", 4, "a: \tb ~\n");
	expect("a", "\303\251\342\202\254", 5, "a: \303\251\342\202\254\n");
}

static void control_characters_are_shown(void **state)
{
	expect("a", "\033[2K\033]52;c;YQ==\a", 16, "a: ^[[2K^[]52;c;YQ==^G\n");
	expect("a", "\v\b\177", 3, "a: ^K^H^?\n");
	expect("a", "x\0y", 3, "a: x^@y\n");
	expect("a", "\233K", 2, "a: \\x9bK\n");		 /* CSI as one byte */
	expect("a", "\302\233K", 3, "a: \\xc2\\x9bK\n"); /* and in UTF-8 */
	expect("a", "\303", 1, "a: \\xc3\n");
}

static void a_label_follows_the_name(void **state)
{
	static const struct guest_line_name name = {0, "a", "agent"};
	size_t n = guest_line_show(text, &name, "b", 1);

	assert_int_equal(n, strlen("a/agent: b\n"));
	assert_memory_equal(text, "a/agent: b\n", n);
}

static void only_the_name_has_a_color(void **state)
{
	size_t n = guest_line_show(text, &(struct guest_line_name){1, "a", ""}, "\033[32mb", 6);

	assert_int_equal(n, strlen("\033[31ma:\033[m ^[[32mb\n"));
	assert_memory_equal(text, "\033[31ma:\033[m ^[[32mb\n", n);
}

/* Each byte four times as long, after the longest name. */
static void the_longest_line_fits(void **state)
{
	char name[CLONE_NAME_SIZE + 9], label[GUEST_LINE_LABEL + 2], bytes[VM_LINE_SIZE];
	struct guest_line_name names = {GUEST_LINE_N_COLORS, name, label};
	size_t n;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(label, 'l', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	memset(bytes, 0xff, sizeof(bytes));
	n = guest_line_show(text, &names, bytes, sizeof(bytes));
	assert_int_equal(n, GUEST_LINE_MAX);
	assert_memory_equal(text, "\033[36mnnn", 8);
	assert_memory_equal(text + 5 + CLONE_NAME_SIZE, "/lll", 4);
	assert_memory_equal(text + 6 + CLONE_NAME_SIZE + GUEST_LINE_LABEL, ":\033[m \\xff", 9);
	assert_int_equal(text[n - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays),
		cmocka_unit_test(control_characters_are_shown),
		cmocka_unit_test(a_label_follows_the_name),
		cmocka_unit_test(only_the_name_has_a_color),
		cmocka_unit_test(the_longest_line_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
