/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/framebuffer.h"

#include "tests/unit/support.h"

static const struct boot_framebuffer good = {
	.base = 0x80000000, .width = 800, .height = 600, .pitch = 3200};

static void frame_buffers_are_listed_in_order(void **state)
{
	struct boot_info info = {};
	struct boot_framebuffer high = good;

	high.base = FRAMEBUFFER_LIMIT - UINT64_C(3200) * 600;
	assert_true(framebuffer_add(&info, &good));
	assert_true(framebuffer_add(&info, &high));
	assert_int_equal(info.n_framebuffers, 2);
	assert_int_equal(info.framebuffer[0].base, good.base);
	assert_int_equal(info.framebuffer[1].base, high.base);
}

static void what_cannot_be_drawn_on_is_refused(void **state)
{
	static const struct boot_framebuffer bad[] = {
		{.base = 0, .width = 800, .height = 600, .pitch = 3200},
		{.base = 0x80000001, .width = 800, .height = 600, .pitch = 3200},
		{.base = 0x80000000, .width = 0, .height = 600, .pitch = 3200},
		{.base = 0x80000000, .width = 800, .height = 0, .pitch = 3200},
		{.base = 0x80000000, .width = 800, .height = 600, .pitch = 3196},
		{.base = FRAMEBUFFER_LIMIT, .width = 800, .height = 600, .pitch = 3200},
		{.base = FRAMEBUFFER_LIMIT - 4096, .width = 800, .height = 600, .pitch = 3200},
		{.base = UINT64_MAX - 3, .width = 800, .height = 600, .pitch = 3200},
	};
	struct boot_info info = {};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(framebuffer_add(&info, &bad[i]));
	assert_int_equal(info.n_framebuffers, 0);
}

static void a_screen_offered_twice_is_listed_once(void **state)
{
	struct boot_info info = {};

	assert_true(framebuffer_add(&info, &good));
	assert_false(framebuffer_add(&info, &good));
	assert_int_equal(info.n_framebuffers, 1);
}

static void a_full_list_takes_no_more(void **state)
{
	struct boot_info info = {};
	struct boot_framebuffer fb = good;

	for (unsigned i = 0; i < BOOT_FRAMEBUFFERS_MAX; i++, fb.base += 0x10000000)
		assert_true(framebuffer_add(&info, &fb));
	assert_false(framebuffer_add(&info, &fb));
	assert_int_equal(info.n_framebuffers, BOOT_FRAMEBUFFERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_buffers_are_listed_in_order),
		cmocka_unit_test(what_cannot_be_drawn_on_is_refused),
		cmocka_unit_test(a_screen_offered_twice_is_listed_once),
		cmocka_unit_test(a_full_list_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
