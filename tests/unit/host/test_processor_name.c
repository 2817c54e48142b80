/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/processor_name.h"

#include <string.h>

#include "tests/unit/support.h"

static char text[48];
static uint32_t last_leaf;

static void answer(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	if (leaf == 0x80000000)
		*ret = (struct cpuid_regs){.eax = last_leaf};
	else
		memcpy(ret, text + (leaf - 0x80000002) * 16, 16);
}

static void expect_name(const char *cpuid_text, const char *want)
{
	char name[PROCESSOR_NAME_SIZE];

	memset(text, 0, sizeof(text));
	memcpy(text, cpuid_text, strlen(cpuid_text));
	memset(name, 'x', sizeof(name));
	processor_name(name, answer);
	assert_string_equal(name, want);
}

static void the_name_is_that_of_cpuid(void **state)
{
	last_leaf = 0x80000008;
	expect_name("Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz",
		    "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz");
	expect_name("123456789012345678901234567890123456789012345678",
		    "123456789012345678901234567890123456789012345678");
}

static void blanks_and_what_is_not_printable_are_one_blank(void **state)
{
	last_leaf = 0x80000004;
	expect_name("      Intel(R)  Xeon(R)  CPU   ", "Intel(R) Xeon(R) CPU");
	expect_name("a\033[2J\xff\x7f\nb", "a [2J b");
	expect_name("", "");
}

static void an_old_processor_has_no_name(void **state)
{
	last_leaf = 0x80000003;
	expect_name("x", "unnamed");
	last_leaf = 0;
	expect_name("x", "unnamed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_that_of_cpuid),
		cmocka_unit_test(blanks_and_what_is_not_printable_are_one_blank),
		cmocka_unit_test(an_old_processor_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
