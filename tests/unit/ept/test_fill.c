/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/ept/fill.h"

#include <string.h>

#include "tests/unit/support.h"

static uint64_t words[512 + 2] __attribute__((aligned(16)));

static void every_entry_is_one_step_on(void **state)
{
	static const uint64_t first[] = {0, 0x200005, UINT64_C(0xfedcba9876543210), UINT64_MAX};
	static const uint64_t step[] = {0, 1, 0x1000, 0x200000, UINT64_C(1) << 63};

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		for (size_t j = 0; j < ARRAY_SIZE(step); j++) {
			memset(words, 0xee, sizeof(words));
			table_fill(&words[1], first[i], step[j]);
			assert_int_equal(words[0], UINT64_C(0xeeeeeeeeeeeeeeee));
			for (unsigned k = 0; k < 512; k++)
				assert_int_equal(words[1 + k], first[i] + k * step[j]);
			assert_int_equal(words[513], UINT64_C(0xeeeeeeeeeeeeeeee));
		}
}

static void vector_registers_stay(void **state)
{
	uint64_t before[4] = {1, 2, UINT64_MAX, 4}, after[4] = {0};

	asm volatile("movups %[x], %%xmm0\n\t"
		     "movups %[y], %%xmm1\n\t"
		     "mov %%rsp, %%r12\n\t"
		     "sub $256, %%rsp\n\t" /* the red zone */
		     "and $-16, %%rsp\n\t"
		     "call *%[fill]\n\t"
		     "mov %%r12, %%rsp\n\t"
		     "movups %%xmm0, (%[to])\n\t"
		     "movups %%xmm1, 16(%[to])"
		     :
		     : [x] "m"(before[0]), [y] "m"(before[2]), [fill] "r"(table_fill), "D"(words),
		       "S"(UINT64_C(7)), "d"(UINT64_C(9)), [to] "b"(after)
		     : "memory", "cc", "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "xmm0",
		       "xmm1");
	assert_memory_equal(after, before, sizeof(before));
	assert_int_equal(words[511], 7 + 511 * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_is_one_step_on),
		cmocka_unit_test(vector_registers_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
