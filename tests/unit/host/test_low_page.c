/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/low_page.h"

#include "tests/unit/support.h"

static void highest_free_page_below_one_mib_is_found(void **state)
{
	static const struct {
		struct boot_range range[3];
		phys_t page;
	} cases[] = {
		{{{0, 0x1000, BOOT_MEM_RESERVED}, {0x1000, 0x9e000, BOOT_MEM_FREE}}, 0x9e000},
		{{{0x1000, 0x1000, BOOT_MEM_FREE}, {0x2000, 0x9d000, BOOT_MEM_HV}}, 0x1000},
		{{{0x1000, 0x1000, BOOT_MEM_FREE}, {0x5000, 0x2000, BOOT_MEM_FREE}}, 0x6000},
		{{{0x1000, 0x7f000000, BOOT_MEM_FREE}}, 0xff000},
		{{{0xff800, 0x7f000000, BOOT_MEM_FREE}}, 0},
		{{{0x1000, 0x9e000, BOOT_MEM_RESERVED}, {0x100000, 0x9e000, BOOT_MEM_FREE}}, 0},
		{{{0x1000, 0x9e000, BOOT_MEM_ACPI}, {0xf0000, 0x10000, BOOT_MEM_RUNTIME}}, 0},
		{{{0}}, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t n = 0;

		while (n < 3 && cases[i].range[n].len > 0)
			n++;
		assert_int_equal(low_page_find(cases[i].range, n), cases[i].page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(highest_free_page_below_one_mib_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
