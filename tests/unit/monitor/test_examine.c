/* SPDX-License-Identifier: BSD-2-Clause */
/* "x" and "xp": the expected texts are those of QEMU 7.2. */
#include "hv/monitor/examine.h"

#include <string.h>

#include "tests/unit/support.h"

static const uint8_t memory[] = {0xea, 0x5b, 0xe0, 0x00, 0xf0, 0x30, 0x36, 0x2f, 0x32, 0x33,
				 0x2f, 0x39, 0x39, 0x00, 0xfc, 0x00, 0x27, 0x5c, 0x0a, 0x0d};
enum { START = 0xffff0 };

static struct examine examine;
static char why[EXAMINE_WHY_MAX];

static int set_up(void **state)
{
	examine = (struct examine){.format = 'x', .size = 4};
	return 0;
}

/* All lines. */
static const char *show(const char *format)
{
	static char text[1024];
	char line[EXAMINE_LINE_MAX];

	*text = '\0';
	assert_int_equal(examine_read_format(format, &examine, why), OK);
	examine.address = START;
	while (examine_line_bytes(&examine) > 0) {
		uint64_t at = examine.address - START;
		bool is_memory = at + examine_line_bytes(&examine) <= sizeof(memory);

		examine_line(&examine, is_memory ? memory + at : NULL, line);
		strcat(strcat(text, line), "\n");
	}
	return text;
}

static void items_are_shown_as_qemu_shows_them(void **state)
{
	static const struct {
		const char *format, *shown;
	} cases[] = {
		{"/2xg", "00000000000ffff0: 0x2f3630f000e05bea 0x00fc0039392f3332\n"},
		{"/20xb", "00000000000ffff0: 0xea 0x5b 0xe0 0x00 0xf0 0x30 0x36 0x2f\n"
			  "00000000000ffff8: 0x32 0x33 0x2f 0x39 0x39 0x00 0xfc 0x00\n"
			  "0000000000100000: 0x27 0x5c 0x0a 0x0d\n"},
		{"/3dh", "00000000000ffff0: 23530   224 12528\n"},
		{"/3db", "00000000000ffff0: 234  91 224\n"},
		{"/2ow", "00000000000ffff0:   070055752 05715430360\n"},
		{"/4ob", "00000000000ffff0: 0352 0133 0340   0\n"},
		{"/2ug", "00000000000ffff0:  3401960375889976298    70931939903615794\n"},
		{"/1xh", "00000000000ffff0: 0x5bea\n"},
		{"/bx", "00000000000ffff0: 0xea\n"},
		{"/20cb", "00000000000ffff0: '\\xea' '[' '\\xe0' '\\x00' '\\xf0' '0' '6' '/'\n"
			  "00000000000ffff8: '2' '3' '/' '9' '9' '\\x00' '\\xfc' '\\x00'\n"
			  "0000000000100000: '\\'' '\\\\' '\\n' '\\r'\n"},
		{"/6xw", "00000000000ffff0: 0x00e05bea 0x2f3630f0 0x392f3332 0x00fc0039\n"
			 "0000000000100000: Cannot access memory\n"},
		{"/0x", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(show(cases[i].format), cases[i].shown);
}

static void every_line_fits(void **state)
{
	static const uint8_t bytes[EXAMINE_BYTES_MAX] = {[0 ... EXAMINE_BYTES_MAX - 1] = 0xff};
	static const char *const formats[] = {"/99og", "/99ow", "/99oh", "/99ob", "/99cg",
					      "/99cb", "/99dg", "/99ug", "/99xb", "/99dh"};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char line[EXAMINE_LINE_MAX];

		assert_int_equal(examine_read_format(formats[i], &examine, why), OK);
		examine_line(&examine, bytes, line);
		assert_in_range(strlen(line), 20, EXAMINE_LINE_MAX - 1);
	}
	assert_string_equal(show("/dg"), "00000000000ffff0:  3401960375889976298\n");
}

static void a_part_that_is_missing_is_as_before(void **state)
{
	(void)show("/2dh");
	assert_string_equal(show(""), "00000000000ffff0: 23530\n");
	assert_string_equal(show("/x"), "00000000000ffff0: 0x5bea\n");
	assert_string_equal(show("/b"), "00000000000ffff0: 0xea\n");
	assert_string_equal(show("/"), "00000000000ffff0: 0xea\n");
	(void)examine_read_format("/99999999999999999999xL", &examine, why);
	assert_int_equal(examine.n_left, UINT32_MAX * 8ul);
}

static void a_wrong_format_is_refused(void **state)
{
	static const struct {
		const char *format, *why;
	} cases[] = {
		{"/4z", "invalid char in format: 'z'"},
		{"/x4", "invalid char in format: '4'"},
		{"/-1x", "invalid char in format: '-'"},
		{"//", "invalid char in format: '/'"},
		{"/5i", "format 'i' is not supported: there is no disassembler"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(examine_read_format(cases[i].format, &examine, why), ERR_INVAL);
		assert_string_equal(why, cases[i].why);
	}
	assert_int_equal(examine.format, 'x');
	assert_int_equal(examine.size, 4);
}

static void addresses_are_sums(void **state)
{
	static const struct {
		const char *text;
		uint64_t address;
		int reg;
	} cases[] = {
		{"0", 0, EXAMINE_NO_REGISTER},
		{"0x1F", 0x1f, EXAMINE_NO_REGISTER},
		{"0XfF", 0xff, EXAMINE_NO_REGISTER},
		{"017", 15, EXAMINE_NO_REGISTER},
		{"17", 17, EXAMINE_NO_REGISTER},
		{"0xffffffffffffffff", UINT64_MAX, EXAMINE_NO_REGISTER},
		{"-1", UINT64_MAX, EXAMINE_NO_REGISTER},
		{"+5", 5, EXAMINE_NO_REGISTER},
		{"0x100+8-1", 0x107, EXAMINE_NO_REGISTER},
		{"$rsp", 0, RSP},
		{"$rip", 0, EXAMINE_RIP},
		{"$r8-8", -8ul, R8},
		{"0x10+$r15+1", 0x11, R15},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(examine_read_address(cases[i].text, &examine, why), OK);
		assert_int_equal(examine.address, cases[i].address);
		assert_int_equal(examine.reg, cases[i].reg);
	}
}

static void a_wrong_address_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "unexpected end of expression"},
		{"0x1+", "unexpected end of expression"},
		{"zz", "invalid char 'z' in expression"},
		{"08", "invalid char '8' in expression"},
		{"0x", "invalid char 'x' in expression"},
		{"1*2", "invalid char '*' in expression"},
		{"$rsp+$rax", "invalid char '$' in expression"},
		{"-$rsp", "invalid char '$' in expression"},
		{"$eax", "unknown register"},
		{"$r", "unknown register"},
		{"$", "unknown register"},
		{"$rspx", "unknown register"},
		{"0x10000000000000000", "number too large"},
		{"18446744073709551616", "number too large"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(examine_read_address(cases[i].text, &examine, why), ERR_INVAL);
		assert_string_equal(why, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(items_are_shown_as_qemu_shows_them, set_up),
		cmocka_unit_test_setup(every_line_fits, set_up),
		cmocka_unit_test_setup(a_part_that_is_missing_is_as_before, set_up),
		cmocka_unit_test_setup(a_wrong_format_is_refused, set_up),
		cmocka_unit_test_setup(addresses_are_sums, set_up),
		cmocka_unit_test_setup(a_wrong_address_is_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
