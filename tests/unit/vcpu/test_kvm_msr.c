/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/kvm_msr.h"

#include "hv/host/msr.h"
#include "tests/unit/support.h"

#define ALL (uint32_t)(KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_STEAL_TIME | KVM_FEATURE_PV_EOI)

static bool may_write(uint32_t features, uint32_t msr, uint64_t value)
{
	struct kvm_area area;

	return kvm_msr_check(features, msr, value, &area);
}

static void an_address_and_a_bit_name_an_area(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t value, gpa;
		uint32_t len;
	} rows[] = {
		{MSR_KVM_WALL_CLOCK_NEW, 0x1004, 0x1004, 12},
		{MSR_KVM_WALL_CLOCK_NEW, 0, 0, 0},
		{MSR_KVM_SYSTEM_TIME_NEW, 0x1005, 0x1004, 32},
		{MSR_KVM_SYSTEM_TIME_NEW, 1, 0, 32},
		{MSR_KVM_SYSTEM_TIME_NEW, 0x1004, 0x1004, 0},
		{MSR_KVM_STEAL_TIME, 0x1041, 0x1040, 64},
		{MSR_KVM_STEAL_TIME, 0x1040, 0x1040, 0},
		{MSR_KVM_PV_EOI_EN, 0x1005, 0x1004, 4},
		{MSR_KVM_PV_EOI_EN, 0x1004, 0x1004, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_area area;

		assert_true(kvm_msr_check(ALL, rows[i].msr, rows[i].value, &area));
		assert_int_equal(area.len, rows[i].len);
		if (area.len)
			assert_int_equal(area.gpa, rows[i].gpa);
		assert_int_equal(kvm_msr_area(rows[i].msr, rows[i].value).len, area.len);
	}
}

static void reserved_bits_are_refused(void **state)
{
	assert_false(may_write(ALL, MSR_KVM_WALL_CLOCK_NEW, 0x1001));
	assert_false(may_write(ALL, MSR_KVM_WALL_CLOCK_NEW, 0x1002));
	assert_false(may_write(ALL, MSR_KVM_SYSTEM_TIME_NEW, 0x1002));
	assert_false(may_write(ALL, MSR_KVM_PV_EOI_EN, 0x1003));
	for (unsigned bit = 1; bit < 6; bit++)
		assert_false(may_write(ALL, MSR_KVM_STEAL_TIME, 0x1001 | BIT(bit)));
}

static void what_is_not_announced_does_not_exist(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t feature;
	} rows[] = {
		{MSR_KVM_WALL_CLOCK_NEW, KVM_FEATURE_CLOCKSOURCE2},
		{MSR_KVM_SYSTEM_TIME_NEW, KVM_FEATURE_CLOCKSOURCE2},
		{MSR_KVM_STEAL_TIME, KVM_FEATURE_STEAL_TIME},
		{MSR_KVM_PV_EOI_EN, KVM_FEATURE_PV_EOI},
	};
	const struct kvm_msrs msrs = {0};
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t others = ALL & ~(uint32_t)rows[i].feature;

		assert_true(may_write((uint32_t)rows[i].feature, rows[i].msr, 0));
		assert_true(kvm_msr_read(&msrs, (uint32_t)rows[i].feature, rows[i].msr, &value));
		assert_false(may_write(others, rows[i].msr, 0));
		assert_false(kvm_msr_read(&msrs, others, rows[i].msr, &value));
	}
	assert_false(may_write(UINT32_MAX, 0x11, 0));
	assert_false(may_write(UINT32_MAX, 0x12, 0));
	assert_false(may_write(UINT32_MAX, 0x4b564d02, 0));
	assert_false(may_write(UINT32_MAX, 0x4b564d05, 0));
	assert_false(kvm_msr_read(&msrs, UINT32_MAX, 0x4b564d05, &value));
}

static void the_guest_reads_what_it_wrote(void **state)
{
	const struct kvm_msrs msrs = {0x2001 | KVM_CLOCK_IS_BEHIND, 0x3041 | KVM_IS_PREEMPTED,
				      0x4005};
	uint64_t value;

	assert_true(kvm_msr_read(&msrs, ALL, MSR_KVM_SYSTEM_TIME_NEW, &value));
	assert_int_equal(value, 0x2001);
	assert_true(kvm_msr_read(&msrs, ALL, MSR_KVM_STEAL_TIME, &value));
	assert_int_equal(value, 0x3041);
	assert_true(kvm_msr_read(&msrs, ALL, MSR_KVM_PV_EOI_EN, &value));
	assert_int_equal(value, 0x4005);
	assert_true(kvm_msr_read(&msrs, ALL, MSR_KVM_WALL_CLOCK_NEW, &value));
	assert_int_equal(value, 0);
}

static void a_saved_state_has_what_a_guest_could_write(void **state)
{
	struct kvm_msrs msrs = {0x2001 | KVM_CLOCK_IS_BEHIND, 0x3041 | KVM_IS_PREEMPTED, 0};

	assert_true(kvm_msrs_are_valid(&msrs, ALL));
	assert_true(kvm_msrs_are_valid(&(struct kvm_msrs){0}, 0));
	assert_false(kvm_msrs_are_valid(&msrs, ALL & ~(uint32_t)KVM_FEATURE_STEAL_TIME));
	msrs.steal_time = 0x3045;
	assert_false(kvm_msrs_are_valid(&msrs, ALL));
	msrs = (struct kvm_msrs){.eoi = 0x4005};
	assert_true(kvm_msrs_are_valid(&msrs, ALL));
	assert_false(kvm_msrs_are_valid(&msrs, ALL & ~(uint32_t)KVM_FEATURE_PV_EOI));
}

static void a_clone_of_an_old_template_gets_its_clock_again(void **state)
{
	struct kvm_msrs msrs = {.system_time = 0x2000 | KVM_MSR_ENABLED};

	kvm_msrs_note_gap(&msrs, 2000, 1000);
	assert_int_equal(msrs.system_time, 0x2000 | KVM_MSR_ENABLED);
	kvm_msrs_note_gap(&msrs, 2001, 1000);
	assert_int_equal(msrs.system_time, 0x2000 | KVM_MSR_ENABLED | KVM_CLOCK_IS_BEHIND);
	msrs.system_time = 0x2000; /* switched off */
	kvm_msrs_note_gap(&msrs, 2001, 1000);
	assert_int_equal(msrs.system_time, 0x2000);
	msrs.system_time = 0;
	kvm_msrs_note_gap(&msrs, 2001, 1000);
	assert_int_equal(msrs.system_time, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_and_a_bit_name_an_area),
		cmocka_unit_test(reserved_bits_are_refused),
		cmocka_unit_test(what_is_not_announced_does_not_exist),
		cmocka_unit_test(the_guest_reads_what_it_wrote),
		cmocka_unit_test(a_saved_state_has_what_a_guest_could_write),
		cmocka_unit_test(a_clone_of_an_old_template_gets_its_clock_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
