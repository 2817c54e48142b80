/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/mask.h"

#include <string.h>

#include "hv/host/msr.h"
#include "tests/unit/support.h"

/* Every feature is there, and none is demanded. */
static struct vmx_capability complete(void)
{
	struct vmx_capability cap = {
		.vmx = true,
		.xsave = true,
		.feature_control = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUT_SMX,
		.ept_vpid = UINT64_MAX,
	};

	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		cap.control[i] = (uint64_t)UINT32_MAX << 32;
	return cap;
}

static struct vmx_capability masked(const char *names)
{
	struct vmx_capability cap = complete();
	const char *unknown;
	uint32_t set = 0;

	assert_true(vmx_mask_read(names, &set, &unknown));
	vmx_mask(&cap, set);
	return cap;
}

static void what_is_needed_is_refused_by_name(void **state)
{
	static const char *const cases[][2] = {
		{"vmx-ept", "no EPT: "},
		{"vmx-unrestricted-guest", "no unrestricted guest: "},
		{"vmx-vpid", "no VPID: "},
		{"vmx-invept", "INVEPT"},
		{"vmx-invept-single-context,vmx-invept-all-context", "INVEPT"},
		{"vmx-invvpid", "INVVPID"},
		{"vmx-invvpid-single-context,vmx-invvpid-all-context", "INVVPID"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmx_capability cap = masked(cases[i][0]);

		assert_non_null(vmx_missing(&cap));
		assert_non_null(strstr(vmx_missing(&cap), cases[i][1]));
	}
}

static void everything_else_can_be_missing(void **state)
{
	static const struct {
		const char *names;
		enum control_word word;
		uint32_t bit; /* which is not used then; 0: not a control */
	} cases[] = {
		{"vmx-vtpr", CONTROLS_PROC2, PROC2_VIRTUAL_INTERRUPTS},
		{"vmx-apicv-x2apic", CONTROLS_PROC, PROC_TPR_SHADOW},
		{"vmx-apicv-register", CONTROLS_PROC2, PROC2_APIC_REGISTERS},
		{"vmx-apicv-vid", CONTROLS_PROC2, PROC2_X2APIC},
		{"vmx-rdtscp-exit", CONTROLS_PROC2, PROC2_RDTSCP},
		{"vmx-wbinvd-exit", CONTROLS_PROC2, PROC2_WBINVD},
		{"vmx-ple", CONTROLS_PROC2, PROC2_PAUSE_LOOP},
		{"vmx-invpcid-exit", CONTROLS_PROC2, PROC2_INVPCID},
		{"vmx-xsaves", CONTROLS_PROC2, PROC2_XSAVES},
		{"vmx-preemption-timer", CONTROLS_PIN, PIN_PREEMPTION_TIMER},
		{"vmx-exit-save-preemption-timer", CONTROLS_PIN, PIN_PREEMPTION_TIMER},
		{"vmx-ept-2mb", CONTROLS_PROC2, 0},
		{"vmx-ept-1gb", CONTROLS_PROC2, 0},
		{"vmx-invept-single-context", CONTROLS_PROC2, 0},
		{"vmx-invept-all-context", CONTROLS_PROC2, 0},
		{"vmx-invvpid-single-context", CONTROLS_PROC2, 0},
		{"vmx-invvpid-all-context", CONTROLS_PROC2, 0},
	};
	struct vmx_capability all = complete();
	struct vmx_controls controls;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmx_capability cap = masked(cases[i].names);

		assert_null(vmx_missing(&cap));
		assert_memory_not_equal(&cap, &all, sizeof(cap));
		assert_int_equal(vmx_controls_choose(&all, &controls), OK);
		assert_int_equal(controls.word[cases[i].word] & cases[i].bit, cases[i].bit);
		assert_int_equal(vmx_controls_choose(&cap, &controls), OK);
		assert_int_equal(controls.word[cases[i].word] & cases[i].bit, 0);
	}
}

static void unknown_names_are_reported_where_they_begin(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"vpid", "vpid"},
		{"vmx-vpi", "vmx-vpi"},
		{"vmx-vpids", "vmx-vpids"},
		{"vmx-vpid,", ""},
		{"vmx-vpid,,vmx-ple", ",vmx-ple"},
		{"vmx-ple,nothing,vmx-vpid", "nothing,vmx-vpid"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *unknown = NULL;
		uint32_t set;

		assert_false(vmx_mask_read(cases[i][0], &set, &unknown));
		assert_string_equal(unknown, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_needed_is_refused_by_name),
		cmocka_unit_test(everything_else_can_be_missing),
		cmocka_unit_test(unknown_names_are_reported_where_they_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
