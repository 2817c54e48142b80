/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/controls.h"

#include <string.h>

#include "hv/host/msr.h"
#include "tests/unit/support.h"

/* Everything may be set, nothing must. */
#define ANYTHING (UINT64_C(0xffffffff) << 32)

static struct vmx_capability complete(void)
{
	struct vmx_capability cap = {
		.vmx = true,
		.xsave = true,
		.feature_control = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX,
		.ept_vpid = UINT64_MAX,
	};

	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		cap.control[i] = ANYTHING;
	return cap;
}

static void a_complete_processor_lacks_nothing(void **state)
{
	struct vmx_capability cap = complete();

	assert_null(vmx_missing(&cap));
	cap.feature_control = 0; /* unlocked: ours to set */
	assert_null(vmx_missing(&cap));
}

static void each_missing_thing_is_named(void **state)
{
	static const struct {
		enum control_word word;
		uint64_t bit;
		const char *name;
	} cases[] = {
		{CONTROLS_PROC, PROC_SECONDARY, "no EPT"},
		{CONTROLS_PROC2, PROC2_EPT, "no EPT"},
		{CONTROLS_PROC2, PROC2_UNRESTRICTED_GUEST, "no unrestricted guest"},
		{CONTROLS_PROC2, PROC2_VPID, "no VPID"},
		{CONTROLS_PIN, PIN_VIRTUAL_NMI, "pin-based"},
		{CONTROLS_PROC, PROC_MSR_BITMAPS, "processor-based"},
		{CONTROLS_PROC, PROC_NMI_WINDOW, "processor-based"},
		{CONTROLS_EXIT, EXITC_SAVE_EFER, "VM-exit"},
		{CONTROLS_ENTRY, ENTRYC_LOAD_PAT, "VM-entry"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmx_capability cap = complete();

		cap.control[cases[i].word] &= ~(cases[i].bit << 32);
		assert_non_null(vmx_missing(&cap));
		assert_non_null(strstr(vmx_missing(&cap), cases[i].name));
		assert_non_null(strstr(vmx_missing(&cap), ": use a processor from "));
	}
}

static void the_switches_of_the_firmware_are_named(void **state)
{
	struct vmx_capability cap = complete();

	cap.feature_control = FEATURE_CONTROL_LOCK;
	assert_non_null(strstr(vmx_missing(&cap), "locked off in IA32_FEATURE_CONTROL"));
	assert_non_null(strstr(vmx_missing(&cap), "switch on Intel Virtualization Technology"));
	cap.vmx = false;
	assert_non_null(strstr(vmx_missing(&cap), "no VT-x"));
	assert_non_null(strstr(vmx_missing(&cap), "switch on Intel Virtualization Technology"));
	cap = complete();
	cap.ept_vpid &= ~EPT_CAP_INVEPT;
	assert_non_null(strstr(vmx_missing(&cap), "INVEPT"));
	cap = complete();
	cap.xsave = false;
	assert_non_null(strstr(vmx_missing(&cap), "no XSAVE"));
}

/* VM entry refuses to save a timer that does not run. */
static void the_preemption_timer_is_on_with_its_saving_or_off(void **state)
{
	const struct {
		enum control_word word;
		uint32_t bit;
	} halves[] = {{CONTROLS_PIN, PIN_PREEMPTION_TIMER},
		      {CONTROLS_EXIT, EXITC_SAVE_PREEMPTION_TIMER}};
	struct vmx_capability cap = complete();
	struct vmx_controls controls;

	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
		assert_true(controls.word[halves[i].word] & halves[i].bit);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		cap = complete();
		vmx_hide(&cap, halves[i].word, halves[i].bit);
		assert_null(vmx_missing(&cap));
		assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
		assert_false(controls.word[CONTROLS_PIN] & PIN_PREEMPTION_TIMER);
		assert_false(controls.word[CONTROLS_EXIT] & EXITC_SAVE_PREEMPTION_TIMER);
	}
}

/* VM entry refuses a part of it. */
static void the_local_apic_is_virtualized_as_a_whole_or_not(void **state)
{
	const uint32_t all = PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS;
	const struct {
		enum control_word word;
		uint32_t bit;
	} parts[] = {{CONTROLS_PROC, PROC_TPR_SHADOW},
		     {CONTROLS_PROC2, PROC2_X2APIC},
		     {CONTROLS_PROC2, PROC2_VIRTUAL_INTERRUPTS}};
	struct vmx_capability cap = complete();
	struct vmx_controls controls;

	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_true(controls.word[CONTROLS_PROC] & PROC_TPR_SHADOW);
	assert_int_equal(controls.word[CONTROLS_PROC2] & all, all);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		cap = complete();
		vmx_hide(&cap, parts[i].word, parts[i].bit);
		assert_null(vmx_missing(&cap));
		assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
		assert_false(controls.word[CONTROLS_PROC] & PROC_TPR_SHADOW);
		assert_false(controls.word[CONTROLS_PROC2] & all);
	}
	cap = complete();
	vmx_hide(&cap, CONTROLS_PROC2, PROC2_APIC_REGISTERS);
	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_true(controls.word[CONTROLS_PROC] & PROC_TPR_SHADOW);
	assert_int_equal(controls.word[CONTROLS_PROC2] & all,
			 PROC2_X2APIC | PROC2_VIRTUAL_INTERRUPTS);
}

static void wanted_is_dropped_needed_is_refused_forced_is_kept(void **state)
{
	uint32_t word = 0;

	assert_int_equal(vmx_controls_settle(UINT64_C(0x0f) << 32 | 1, 2, 0x14, &word), OK);
	assert_int_equal(word, 1 | 2 | 4);
	assert_int_equal(vmx_controls_settle(UINT64_C(0x0f) << 32, 0x10, 0, &word),
			 ERR_UNSUPPORTED);
	assert_int_equal(word, 7);
}

static void a_processor_without_extras_still_gets_all_needed_controls(void **state)
{
	struct vmx_capability cap = complete();
	struct vmx_controls controls;

	cap.control[CONTROLS_PROC2] = (PROC2_EPT | PROC2_VPID | PROC2_UNRESTRICTED_GUEST) << 32;
	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_int_equal(controls.word[CONTROLS_PROC2],
			 PROC2_EPT | PROC2_VPID | PROC2_UNRESTRICTED_GUEST);
	assert_false(controls.word[CONTROLS_PROC] & PROC_INTERRUPT_WINDOW);
}

static void each_pause_exits_only_where_loops_of_them_cannot(void **state)
{
	struct vmx_capability cap = complete();
	struct vmx_controls controls;

	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_false(controls.word[CONTROLS_PROC] & PROC_PAUSE);
	cap.control[CONTROLS_PROC2] &= ~(PROC2_PAUSE_LOOP << 32);
	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_true(controls.word[CONTROLS_PROC] & PROC_PAUSE);
	cap.control[CONTROLS_PROC] &= ~(PROC_PAUSE << 32);
	assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
	assert_false(controls.word[CONTROLS_PROC] & PROC_PAUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_complete_processor_lacks_nothing),
		cmocka_unit_test(each_missing_thing_is_named),
		cmocka_unit_test(the_preemption_timer_is_on_with_its_saving_or_off),
		cmocka_unit_test(the_local_apic_is_virtualized_as_a_whole_or_not),
		cmocka_unit_test(the_switches_of_the_firmware_are_named),
		cmocka_unit_test(wanted_is_dropped_needed_is_refused_forced_is_kept),
		cmocka_unit_test(a_processor_without_extras_still_gets_all_needed_controls),
		cmocka_unit_test(each_pause_exits_only_where_loops_of_them_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
