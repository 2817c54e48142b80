/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/loader/linux_setup.h"

#include <string.h>

#include "tests/unit/support.h"

static uint8_t kernel[KIB(64)];
static char append[KIB(70)];
static struct linux_setup plan;

static void put(size_t off, uint32_t value, unsigned size)
{
	memcpy(kernel + off, &value, size);
}

static struct linux_setup_input make_kernel(void)
{
	memset(kernel, 0, sizeof(kernel));
	memset(append, 0, sizeof(append));
	memset(&plan, 0xcc, sizeof(plan));
	memcpy(kernel + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	kernel[0x1f1] = 31;
	kernel[0x211] = 1;
	put(0x22c, 0x7fffffff, 4);
	put(0x238, 2047, 4);
	return (struct linux_setup_input){.kernel = kernel,
					  .kernel_len = sizeof(kernel),
					  .append = append,
					  .ram_below_4g = MIB(32)};
}

static void a_kernel_has_its_places(void **state)
{
	struct linux_setup_input input = make_kernel();

	input.initrd_len = MIB(3) + 1;
	strcpy(append, "quiet");
	assert_null(linux_setup_plan(&input, &plan));
	assert_int_equal(plan.setup_addr, 0x10000);
	assert_int_equal(plan.setup_len, 32 * 512);
	assert_int_equal(plan.kernel_addr, MIB(1));
	assert_int_equal(plan.kernel_len, sizeof(kernel) - 32 * 512);
	assert_int_equal(plan.cmdline_addr, 0x20000);
	assert_int_equal(plan.cmdline_len, 6);
	assert_int_equal(plan.initrd_addr, MIB(28) - PAGE_SIZE);
	assert_int_equal(plan.initrd_len, MIB(3) + 1);
	linux_setup_complete(&plan, kernel);
	assert_int_equal(kernel[0x210], 0xff);
	assert_int_equal(kernel[0x211], 0x81);
	assert_memory_equal(kernel + 0x224, "\x00\xfe", 2);
	assert_memory_equal(kernel + 0x228, "\x00\x00\x02\x00", 4);
	assert_memory_equal(kernel + 0x218, "\x00\xf0\xbf\x01\x01\x00\x30\x00", 8);
}

static void old_kernels_have_old_limits(void **state)
{
	struct linux_setup_input input = make_kernel();

	kernel[0x1f1] = 0; /* means 4 */
	put(0x206, 0x202, 2);
	input.initrd_len = PAGE_SIZE;
	input.ram_below_4g = GIB(2);
	assert_null(linux_setup_plan(&input, &plan));
	assert_int_equal(plan.setup_len, 5 * 512);
	assert_int_equal(plan.initrd_addr, 0x38000000 - PAGE_SIZE);
	put(0x206, 0x203, 2);
	assert_null(linux_setup_plan(&input, &plan));
	assert_int_equal(plan.initrd_addr, GIB(2) - MIB(1) - PAGE_SIZE);
	memset(append, 'x', 256);
	assert_string_equal(linux_setup_plan(&input, &plan),
			    "the command line is longer than the kernel takes");
	append[255] = '\0';
	assert_null(linux_setup_plan(&input, &plan));
	input.append = NULL;
	assert_null(linux_setup_plan(&input, &plan));
	assert_int_equal(plan.cmdline_len, 1);
}

static void the_command_line_ends_before_the_next_segment(void **state)
{
	struct linux_setup_input input = make_kernel();

	put(0x238, UINT32_MAX, 4);
	memset(append, 'x', KIB(64));
	assert_non_null(linux_setup_plan(&input, &plan));
	append[KIB(64) - 1] = '\0';
	assert_null(linux_setup_plan(&input, &plan));
	assert_int_equal(plan.cmdline_len, KIB(64));
}

static void what_cannot_be_started_is_refused(void **state)
{
	static const char none[] = "firmware starts only Linux kernels, and this is none";
	static const char old[] =
		"the kernel's boot protocol is older than 2.02, or it is a zImage";
	static const struct {
		size_t off;
		uint32_t value;
		uint64_t kernel_len, initrd_len, ram;
		const char *why;
	} cases[] = {
		{0x202, 0, sizeof(kernel), 0, MIB(32), none},
		{0, 0, 0x263, 0, MIB(32), none},
		{0x206, 0x201, sizeof(kernel), 0, MIB(32), old},
		{0x211, 0, sizeof(kernel), 0, MIB(32), old},
		{0, 0, 32 * 512, 0, MIB(32), "invalid kernel header"},
		{0x1f1, 127, sizeof(kernel), 0, MIB(32), "invalid kernel header"},
		{0, 0, sizeof(kernel), 0, MIB(2), "the kernel needs more RAM than the VM has"},
		{0, 0, sizeof(kernel), 0, KIB(64), "the kernel needs more RAM than the VM has"},
		{0x22c, 4096, sizeof(kernel), 0, MIB(32),
		 "the kernel needs more RAM than the VM has"},
		{0, 0, sizeof(kernel), MIB(30), MIB(32), "initrd is too large, cannot support"},
		{0, 0, sizeof(kernel), UINT64_MAX, MIB(32), "initrd is too large, cannot support"},
		{0, 0, GIB(5), 0, GIB(3), "the kernel needs more RAM than the VM has"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct linux_setup_input input = make_kernel();
		const char *why;

		if (cases[i].off != 0)
			put(cases[i].off, cases[i].value,
			    cases[i].off == 0x1f1 || cases[i].off == 0x211 ? 1 : 4);
		input.kernel_len = cases[i].kernel_len;
		input.initrd_len = cases[i].initrd_len;
		input.ram_below_4g = cases[i].ram;
		why = linux_setup_plan(&input, &plan);
		if (why == NULL || strcmp(why, cases[i].why) != 0)
			fail_msg("case %zu: %s", i, why);
		assert_int_equal(plan.setup_addr, 0xcccccccc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_has_its_places),
		cmocka_unit_test(old_kernels_have_old_limits),
		cmocka_unit_test(the_command_line_ends_before_the_next_segment),
		cmocka_unit_test(what_cannot_be_started_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
