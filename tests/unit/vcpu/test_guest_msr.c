/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/guest_msr.h"

#include <string.h>

#include "hv/host/msr.h"
#include "tests/unit/support.h"

static bool expected_through(uint32_t msr, bool write, bool rdtscp)
{
	switch (msr) {
	case 0x10:
		return !write;
	case 0x174 ... 0x176:
	case 0x277:
	case 0xc0000081 ... 0xc0000084:
	case 0xc0000100 ... 0xc0000102:
		return true;
	case 0xc0000103:
		return rdtscp;
	default:
		return false;
	}
}

static void everything_exits_but_the_list(void **state)
{
	static uint8_t bitmap[4096];

	for (int rdtscp = 0; rdtscp < 2; rdtscp++) {
		msr_bitmap_init(bitmap, rdtscp);
		for (uint32_t i = 0; i < 0x4000; i++) {
			uint32_t msr = i < 0x2000 ? i : 0xc0000000 + i - 0x2000;

			for (int write = 0; write < 2; write++)
				assert_int_equal(msr_bitmap_exits(bitmap, msr, write),
						 !expected_through(msr, write, rdtscp));
		}
	}
}

static void only_the_eoi_is_let_through_besides(void **state)
{
	static uint8_t bitmap[4096], with_eoi[4096];
	unsigned n_others = 0;

	msr_bitmap_init(bitmap, true);
	memcpy(with_eoi, bitmap, sizeof(bitmap));
	msr_bitmap_free_eoi(with_eoi);
	assert_true(msr_bitmap_exits(bitmap, 0x80b, true));
	assert_false(msr_bitmap_exits(with_eoi, 0x80b, true));
	assert_true(msr_bitmap_exits(with_eoi, 0x80b, false));
	for (size_t i = 0; i < sizeof(bitmap); i++)
		n_others += (unsigned)__builtin_popcount(bitmap[i] ^ with_eoi[i]);
	assert_int_equal(n_others, 1);
}

static unsigned count_differences(const uint8_t *a, const uint8_t *b, size_t size)
{
	unsigned n = 0;

	for (size_t i = 0; i < size; i++)
		n += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return n;
}

static void tpr_is_let_through_and_reads_of_what_only_the_guest_changes(void **state)
{
	static uint8_t bitmap[4096], with_tpr[4096], with_reads[4096];
	static const uint32_t change[] = {0x80a, 0x810, 0x820, 0x830, 0x839};

	msr_bitmap_init(bitmap, true);
	memcpy(with_tpr, bitmap, sizeof(bitmap));
	msr_bitmap_free_tpr(with_tpr, false);
	assert_false(msr_bitmap_exits(with_tpr, 0x808, true));
	assert_false(msr_bitmap_exits(with_tpr, 0x808, false));
	assert_int_equal(count_differences(bitmap, with_tpr, sizeof(bitmap)), 2);
	memcpy(with_reads, bitmap, sizeof(bitmap));
	msr_bitmap_free_tpr(with_reads, true);
	assert_false(msr_bitmap_exits(with_reads, 0x802, false));
	assert_true(msr_bitmap_exits(with_reads, 0x80f, true));
	assert_false(msr_bitmap_exits(with_reads, 0x832, false));
	for (size_t i = 0; i < ARRAY_SIZE(change); i++)
		assert_true(msr_bitmap_exits(with_reads, change[i], false));
	assert_int_equal(count_differences(with_tpr, with_reads, sizeof(bitmap)), 10);
}

static void unknown_msrs_are_refused(void **state)
{
	static const uint32_t refused[] = {0x3a,  0x48,	 0x49,	     0x10a,	 0x1a2,
					   0x480, 0x610, 0xc0000080, 0xc0010015, 0x40000000};
	struct guest_msrs msrs;
	uint64_t value = 42;

	guest_msrs_reset(&msrs, 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_false(guest_msr_read(&msrs, refused[i], &value));
		assert_false(guest_msr_write(&msrs, refused[i], 0));
		assert_int_equal(value, 42);
	}
}

static void mtrrs_are_memory_within_what_hardware_takes(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
		bool ok;
	} cases[] = {
		{0x2ff, 0xc06, true},
		{0x2ff, 0x1000, false},
		{0x2ff, 2, false},
		{0x200, 6, true},
		{0x200, 3, false},
		{0x201, 0xfff00000800, true},
		{0x20f, UINT64_C(1) << 60, false},
		{0x250, 0x0606060606060606, true},
		{0x250, 0x0306060606060606, false},
		{0x26f, 0, true},
		{0x258, 0x0404040404040404, true},
		{0x259, 0x0505050505050505, true},
	};
	struct guest_msrs msrs;
	uint64_t value;

	guest_msrs_reset(&msrs, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(guest_msr_write(&msrs, cases[i].msr, cases[i].value), cases[i].ok);
		assert_true(guest_msr_read(&msrs, cases[i].msr, &value));
		assert_int_equal(value == cases[i].value, cases[i].ok);
	}
	assert_true(guest_msr_read(&msrs, IA32_MTRRCAP, &value));
	assert_int_equal(value & 0xff, 8);
	assert_false(guest_msr_write(&msrs, IA32_MTRRCAP, value));
}

static void misc_enable_is_memory_within_what_hardware_has(void **state)
{
	static const uint8_t writable[] = {0, 3, 16, 18, 22, 23, 34};
	uint64_t expected = 0, value;
	struct guest_msrs msrs;

	for (size_t i = 0; i < sizeof(writable); i++)
		expected |= BIT(writable[i]);
	for (unsigned bit = 0; bit < 64; bit++) {
		bool ok = expected & BIT(bit);
		uint64_t old;

		guest_msrs_reset(&msrs, 0);
		assert_true(guest_msr_read(&msrs, IA32_MISC_ENABLE, &old));
		assert_int_equal(guest_msr_write(&msrs, IA32_MISC_ENABLE, old ^ BIT(bit)), ok);
		assert_true(guest_msr_read(&msrs, IA32_MISC_ENABLE, &value));
		assert_int_equal(value, ok ? old ^ BIT(bit) : old);
		assert_true(guest_msrs_are_valid(&msrs));
		msrs.misc_enable = old ^ BIT(bit);
		assert_int_equal(guest_msrs_are_valid(&msrs), ok);
	}
}

static void the_revision_of_the_microcode_stays(void **state)
{
	struct guest_msrs msrs;
	uint64_t value;

	guest_msrs_reset(&msrs, UINT64_C(0x1f) << 32);
	assert_true(guest_msr_write(&msrs, IA32_BIOS_SIGN_ID, 0));
	assert_true(guest_msr_read(&msrs, IA32_BIOS_SIGN_ID, &value));
	assert_int_equal(value, UINT64_C(0x1f) << 32);
}

/* No ratio, no turbo limits, no CPUID faulting. */
static void platform_info_says_nothing_and_is_read_only(void **state)
{
	struct guest_msrs msrs;
	uint64_t value = 42;

	guest_msrs_reset(&msrs, 0);
	assert_true(guest_msr_read(&msrs, MSR_PLATFORM_INFO, &value));
	assert_int_equal(value, 0);
	assert_false(guest_msr_write(&msrs, MSR_PLATFORM_INFO, 0));
}

/* Of the machine check and of debugging there is nothing: zeros, which may be written. */
static void msrs_of_what_is_not_there_are_zeros(void **state)
{
	static const struct {
		uint32_t msr;
		bool takes_zero, takes_one;
	} cases[] = {
		{IA32_P5_MC_ADDR, false, false},  {IA32_P5_MC_TYPE, false, false},
		{IA32_PLATFORM_ID, false, false}, {IA32_MCG_CAP, false, false},
		{IA32_MCG_STATUS, true, false},	  {IA32_DEBUGCTL, true, false},
	};
	struct guest_msrs msrs;

	guest_msrs_reset(&msrs, UINT64_C(0x1f) << 32);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 42;

		assert_int_equal(guest_msr_write(&msrs, cases[i].msr, 0), cases[i].takes_zero);
		assert_int_equal(guest_msr_write(&msrs, cases[i].msr, 1), cases[i].takes_one);
		assert_true(guest_msr_read(&msrs, cases[i].msr, &value));
		assert_int_equal(value, 0);
	}
}

/* An update is taken, and changes nothing; it cannot be read. */
static void an_update_of_the_microcode_is_ignored(void **state)
{
	struct guest_msrs msrs;
	uint64_t value = 42;

	guest_msrs_reset(&msrs, UINT64_C(0x1f) << 32);
	assert_true(guest_msr_write(&msrs, IA32_BIOS_UPDT_TRIG, 0x123456));
	assert_false(guest_msr_read(&msrs, IA32_BIOS_UPDT_TRIG, &value));
	assert_true(guest_msr_read(&msrs, IA32_BIOS_SIGN_ID, &value));
	assert_int_equal(value, UINT64_C(0x1f) << 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_exits_but_the_list),
		cmocka_unit_test(only_the_eoi_is_let_through_besides),
		cmocka_unit_test(tpr_is_let_through_and_reads_of_what_only_the_guest_changes),
		cmocka_unit_test(unknown_msrs_are_refused),
		cmocka_unit_test(mtrrs_are_memory_within_what_hardware_takes),
		cmocka_unit_test(misc_enable_is_memory_within_what_hardware_has),
		cmocka_unit_test(the_revision_of_the_microcode_stays),
		cmocka_unit_test(msrs_of_what_is_not_there_are_zeros),
		cmocka_unit_test(an_update_of_the_microcode_is_ignored),
		cmocka_unit_test(platform_info_says_nothing_and_is_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
