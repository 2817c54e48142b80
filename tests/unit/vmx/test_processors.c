/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/processors.h"

#include <string.h>

#include "hv/host/msr.h"
#include "hv/host/speculation.h"
#include "tests/unit/support.h"

enum { N = 4 };

/* Four processors that lack nothing: two cores of two threads. */
static void make(struct processor_report report[N])
{
	memset(report, 0, N * sizeof(*report));
	for (unsigned i = 0; i < N; i++) {
		struct processor_report *one = &report[i];

		one->vmx = (struct vmx_capability){
			.vmx = true,
			.xsave = true,
			.feature_control = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX,
			.ept_vpid = UINT64_MAX,
			.misc = 5,
		};
		for (unsigned word = 0; word < N_CONTROL_WORDS; word++)
			one->vmx.control[word] = UINT64_C(0xffffffff) << 32;
		memset(one->facts.word, 0xff, sizeof(one->facts.word));
		one->facts.apic_id = i;
		one->facts.thread_bits = 1;
	}
}

static unsigned n_used(const struct processor_report report[N])
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += report[i].left_out == NULL;
	return n;
}

static void equal_processors_are_all_used(void **state)
{
	struct processor_report report[N], common;

	make(report);
	processors_choose(report, N, true, &common);
	assert_int_equal(n_used(report), N);
	assert_memory_equal(&common, &report[0], sizeof(common));
}

static void
a_processor_that_lacks_a_need_is_left_out_and_takes_nothing_from_the_others(void **state)
{
	static const struct {
		enum control_word word;
		uint64_t bit;
		const char *name;
	} cases[] = {
		{CONTROLS_PROC2, PROC2_EPT, "no EPT"},
		{CONTROLS_PIN, PIN_VIRTUAL_NMI, "pin-based"},
		{CONTROLS_EXIT, EXITC_SAVE_EFER, "VM-exit"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct processor_report report[N], common;

		make(report);
		report[2].vmx.control[cases[i].word] &= ~(cases[i].bit << 32);
		report[2].facts.word[FACT_D_EAX] = 3;
		processors_choose(report, N, true, &common);
		assert_int_equal(n_used(report), N - 1);
		assert_non_null(strstr(report[2].left_out, cases[i].name));
		assert_int_equal(common.facts.word[FACT_D_EAX], UINT32_MAX);
		assert_null(vmx_missing(&common.vmx));
	}
}

static void a_processor_with_vmx_locked_off_is_left_out(void **state)
{
	struct processor_report report[N], common;

	make(report);
	report[1].vmx.feature_control = FEATURE_CONTROL_LOCK;
	processors_choose(report, N, true, &common);
	assert_int_equal(n_used(report), N - 1);
	assert_non_null(strstr(report[1].left_out, "locked off"));
}

static void what_one_lacks_nobody_uses(void **state)
{
	struct processor_report report[N], common;
	struct vmx_controls controls;

	make(report);
	report[1].vmx.control[CONTROLS_PROC2] &= ~(PROC2_XSAVES << 32);
	report[2].vmx.control[CONTROLS_PROC] |= BIT(1); /* must be 1 there */
	report[2].vmx.ept_vpid &= ~EPT_CAP_1G;
	report[3].facts.word[FACT_D_EAX] = 7;
	report[3].facts.word[FACT_7_EBX] &= ~(uint32_t)BIT(16);
	processors_choose(report, N, true, &common);
	assert_int_equal(n_used(report), N);
	assert_int_equal(vmx_controls_choose(&common.vmx, &controls), OK);
	assert_int_equal(controls.word[CONTROLS_PROC2] & PROC2_XSAVES, 0);
	assert_int_equal(controls.word[CONTROLS_PROC] & BIT(1), BIT(1));
	assert_false(common.vmx.ept_vpid & EPT_CAP_1G);
	assert_int_equal(common.facts.word[FACT_D_EAX], 7);
	assert_int_equal(common.facts.word[FACT_7_EBX], ~(uint32_t)BIT(16));
}

/* Each has one way to flush, and they have none in common. */
static void a_processor_with_nothing_in_common_is_left_out(void **state)
{
	struct processor_report report[N], common;

	make(report);
	report[0].vmx.ept_vpid &= ~EPT_CAP_INVEPT_ALL;
	report[3].vmx.ept_vpid &= ~EPT_CAP_INVEPT_SINGLE;
	processors_choose(report, N, true, &common);
	assert_int_equal(n_used(report), N - 1);
	assert_non_null(strstr(report[3].left_out, "INVEPT"));
	assert_null(vmx_missing(&common.vmx));

	make(report);
	report[0].vmx.control[CONTROLS_PROC] &= ~(BIT(1) << 32);
	report[2].vmx.control[CONTROLS_PROC] |= BIT(1);
	processors_choose(report, N, true, &common);
	assert_non_null(strstr(report[2].left_out, "demands"));
	make(report);
	report[1].vmx.misc = 7;
	processors_choose(report, N, true, &common);
	assert_non_null(strstr(report[1].left_out, "another rate"));
}

static void without_threads_each_core_has_one_processor(void **state)
{
	struct processor_report report[N], common;

	make(report);
	report[2].vmx.vmx = false; /* its sibling takes its place */
	processors_choose(report, N, false, &common);
	assert_null(report[0].left_out);
	assert_non_null(strstr(report[1].left_out, "-smt off"));
	assert_non_null(strstr(report[2].left_out, "no VT-x"));
	assert_null(report[3].left_out);
}

static void weaknesses_add_up(void **state)
{
	struct processor_report report[N], common;

	make(report);
	for (unsigned i = 0; i < N; i++)
		report[i].facts.arch_capabilities = BIT(0) | BIT(5);
	report[1].facts.arch_capabilities = BIT(0) | ARCH_CAP_RRSBA;
	processors_choose(report, N, true, &common);
	assert_int_equal(common.facts.arch_capabilities, BIT(0) | ARCH_CAP_RRSBA);
}

static struct policy policy_of(const struct processor_report report[N],
			       struct processor_report *common)
{
	struct policy policy;

	*common = report[0];
	processors_policy(report, N, common, MITIGATIONS_AUTO, &policy);
	return policy;
}

/* A Haswell, and processors that have nothing to guard against but what all have. */
static void the_policy_is_that_of_the_weakest(void **state)
{
	struct processor_report report[N], common;

	make(report);
	for (unsigned i = 0; i < N; i++) {
		report[i].facts.is_intel = true;
		report[i].facts.signature = 0xa06d1;
		report[i].facts.arch_capabilities = UINT64_MAX;
	}
	assert_false(policy_of(report, &common).weaknesses & WEAK_L1TF);
	report[3].facts.signature = 0x306c3;
	report[3].facts.arch_capabilities = 0;
	assert_true(policy_of(report, &common).weaknesses & WEAK_L1TF);
}

static void two_threads_of_a_core_in_use_are_seen(void **state)
{
	struct processor_report report[N], common;

	make(report);
	assert_true(policy_of(report, &common).shares_cores);
	for (unsigned i = 0; i < N; i++)
		report[i].facts.apic_id = 2 * i;
	assert_false(policy_of(report, &common).shares_cores);
}

static void a_broken_preemption_timer_is_used_by_none(void **state)
{
	struct processor_report report[N], common;

	make(report);
	(void)policy_of(report, &common);
	assert_true(common.vmx.control[CONTROLS_PIN] >> 32 & PIN_PREEMPTION_TIMER);
	report[2].facts.is_intel = true;
	report[2].facts.signature = 0x306a8;
	(void)policy_of(report, &common);
	assert_false(common.vmx.control[CONTROLS_PIN] >> 32 & PIN_PREEMPTION_TIMER);
}

static struct cpuid_regs vendor = {0xd, 0x756e6547, 0x6c65746e, 0x49656e69}; /* GenuineIntel */
static uint32_t level_type = 1;

/* A processor with leaves to 0xd, 7.0 only, and two threads a core. */
static void answer(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	*ret = (struct cpuid_regs){leaf, leaf + 1, leaf + 2, leaf + 3};
	if (leaf == 0)
		*ret = vendor;
	if (leaf == 7 && subleaf == 0)
		ret->eax = 0;
	if (leaf == 0xb)
		*ret = (struct cpuid_regs){.eax = 1, .ebx = 2, .ecx = level_type << 8};
	if (leaf == 0x80000000)
		ret->eax = 0x80000000;
}

static void facts_come_from_the_leaves_that_exist(void **state)
{
	struct cpu_facts facts = {.apic_id = 3};
	struct cpuid_regs regs = {0};

	facts_take(&facts, answer);
	assert_true(facts.is_intel);
	assert_int_equal(facts.signature, 1);
	assert_int_equal(facts.thread_bits, 1);
	assert_int_equal(facts.word[FACT_7_EDX], 10);
	assert_int_equal(facts.word[FACT_7_2_EDX], 0);
	assert_int_equal(facts.word[FACT_EXT1_ECX], 0);
	answer(7, 0, &regs);
	facts.word[FACT_7_EBX] = 1;
	regs.ebx = 3;
	facts_limit(&facts, 7, 0, &regs);
	assert_int_equal(regs.ebx, 1);
	regs.ebx = 3;
	regs.eax = UINT32_MAX;
	facts.word[FACT_7_1_EAX] = 0x10;
	facts_limit(&facts, 7, 1, &regs);
	assert_int_equal(regs.eax, 0x10);
	assert_int_equal(regs.ebx, 3);
}

static void other_vendors_are_told_apart(void **state)
{
	static const struct cpuid_regs vendors[] = {
		{0xd, 0x68747541, 0x444d4163, 0x69746e65}, /* AuthenticAMD */
		{0xd, 0x756e6547, 0x6c65746e, 0x69746e65},
		{0xd, 0x756e6547, 0x444d4163, 0x49656e69},
	};
	struct cpuid_regs intel = vendor;
	struct cpu_facts facts;

	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		vendor = vendors[i];
		facts_take(&facts, answer);
		assert_false(facts.is_intel);
	}
	vendor = intel;
}

/* Leaf 0xb may begin with another level than threads. */
static void a_level_that_is_not_threads_has_no_bits(void **state)
{
	struct cpu_facts facts;

	level_type = 2;
	facts_take(&facts, answer);
	assert_int_equal(facts.thread_bits, 0);
	level_type = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_processors_are_all_used),
		cmocka_unit_test(
			a_processor_that_lacks_a_need_is_left_out_and_takes_nothing_from_the_others),
		cmocka_unit_test(a_processor_with_vmx_locked_off_is_left_out),
		cmocka_unit_test(what_one_lacks_nobody_uses),
		cmocka_unit_test(a_processor_with_nothing_in_common_is_left_out),
		cmocka_unit_test(without_threads_each_core_has_one_processor),
		cmocka_unit_test(weaknesses_add_up),
		cmocka_unit_test(the_policy_is_that_of_the_weakest),
		cmocka_unit_test(two_threads_of_a_core_in_use_are_seen),
		cmocka_unit_test(a_broken_preemption_timer_is_used_by_none),
		cmocka_unit_test(facts_come_from_the_leaves_that_exist),
		cmocka_unit_test(other_vendors_are_told_apart),
		cmocka_unit_test(a_level_that_is_not_threads_has_no_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
