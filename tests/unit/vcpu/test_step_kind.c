/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/step_kind.h"

#include "tests/unit/support.h"

static void instructions_that_show_tf_are_known_behind_prefixes(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t n;
		bool code64;
		enum step_kind kind;
	} cases[] = {
		{{0x9c}, 1, true, STEP_PUSHF},
		{{0x66, 0x9c}, 2, true, STEP_PUSHF},
		{{0x48, 0x9c}, 2, true, STEP_PUSHF},
		{{0x48, 0x9c}, 2, false, STEP_PLAIN}, /* dec eax */
		{{0x9d}, 1, false, STEP_LOADS},
		{{0x48, 0xcf}, 2, true, STEP_LOADS},
		{{0x0f, 0x05}, 2, true, STEP_SYSCALL},
		{{0x0f, 0x0b}, 2, true, STEP_PLAIN},
		{{0x0f}, 1, true, STEP_PLAIN},
		{{0xf3, 0xaa}, 2, true, STEP_PLAIN},
		{{0x66, 0x66}, 2, true, STEP_PLAIN},
		{{0}, 0, true, STEP_PLAIN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(step_kind(cases[i].bytes, cases[i].n, cases[i].code64),
				 cases[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_that_show_tf_are_known_behind_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
