/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/shadow.h"

#include "hv/vcpu/vcpu.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/exit_reason.h"
#include "tests/unit/support.h"

#define RFLAGS_FIXED BIT(1)
#define DATA_HIT     (BIT(0) | BIT(12)) /* a data breakpoint, which is not a single step */

/* SDM vol. 3, "Checks on Guest Non-Register State", for pending debug exceptions; BTF is clear. */
static bool entry_accepts(uint64_t pending, uint64_t blocking, uint64_t rflags)
{
	bool bs = pending & PENDING_BS;

	if (!(blocking & (BLOCKING_STI | BLOCKING_MOV_SS)))
		return true;
	return bs == ((rflags & RFLAGS_TF) != 0);
}

static void entry_accepts_every_state(void **state)
{
	static const uint64_t blockings[] = {0, BLOCKING_STI, BLOCKING_MOV_SS, BLOCKING_NMI,
					     BLOCKING_STI | BLOCKING_NMI};
	static const uint64_t pendings[] = {0, PENDING_BS, DATA_HIT, PENDING_BS | DATA_HIT};

	for (size_t b = 0; b < ARRAY_SIZE(blockings); b++)
		for (size_t p = 0; p < ARRAY_SIZE(pendings); p++)
			for (uint64_t tf = 0; tf <= RFLAGS_TF; tf += RFLAGS_TF) {
				uint64_t rflags = RFLAGS_FIXED | tf;
				uint64_t pending =
					shadow_pending_debug(pendings[p], blockings[b], rflags);

				assert_true(entry_accepts(pending, blockings[b], rflags));
				assert_int_equal(pending & ~PENDING_BS, pendings[p] & ~PENDING_BS);
			}
}

static void no_step_is_due_before_an_instruction_outside_a_shadow(void **state)
{
	assert_int_equal(shadow_pending_debug(PENDING_BS, 0, RFLAGS_FIXED | RFLAGS_TF), 0);
	assert_int_equal(shadow_pending_debug(PENDING_BS, BLOCKING_NMI, RFLAGS_TF), 0);
}

static void a_step_that_a_shadow_held_back_is_due(void **state)
{
	assert_int_equal(shadow_pending_debug(0, BLOCKING_STI, RFLAGS_TF), PENDING_BS);
	assert_int_equal(shadow_pending_debug(DATA_HIT, BLOCKING_MOV_SS, RFLAGS_TF),
			 DATA_HIT | PENDING_BS);
}

static void an_entry_delivers_what_is_pending_and_enabled(void **state)
{
	for (uint64_t blocking = 0; blocking < 16; blocking++) {
		bool held_back = blocking & BLOCKING_MOV_SS;

		assert_int_equal(shadow_debug_is_due(PENDING_BS, blocking), !held_back);
		assert_int_equal(shadow_debug_is_due(DATA_HIT, blocking), !held_back);
		assert_false(shadow_debug_is_due(BIT(0), blocking)); /* met, but not enabled */
		assert_false(shadow_debug_is_due(0, blocking));
	}
}

static void an_nmi_in_the_shadow_of_sti_waits_for_the_interrupt_window(void **state)
{
	assert_int_equal(shadow_windows(true, false, BLOCKING_STI), PROC_INTERRUPT_WINDOW);
	assert_int_equal(shadow_windows(true, true, BLOCKING_STI), PROC_INTERRUPT_WINDOW);
}

static void otherwise_each_event_has_its_window(void **state)
{
	static const uint64_t blockings[] = {0, BLOCKING_MOV_SS, BLOCKING_NMI};

	for (size_t i = 0; i < ARRAY_SIZE(blockings); i++) {
		assert_int_equal(shadow_windows(false, false, blockings[i]), 0);
		assert_int_equal(shadow_windows(true, false, blockings[i]), PROC_NMI_WINDOW);
		assert_int_equal(shadow_windows(false, true, blockings[i]), PROC_INTERRUPT_WINDOW);
		assert_int_equal(shadow_windows(true, true, blockings[i]),
				 PROC_NMI_WINDOW | PROC_INTERRUPT_WINDOW);
	}
	assert_int_equal(shadow_windows(false, false, BLOCKING_STI), 0);
	assert_int_equal(shadow_windows(false, true, BLOCKING_STI), PROC_INTERRUPT_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_accepts_every_state),
		cmocka_unit_test(no_step_is_due_before_an_instruction_outside_a_shadow),
		cmocka_unit_test(a_step_that_a_shadow_held_back_is_due),
		cmocka_unit_test(an_entry_delivers_what_is_pending_and_enabled),
		cmocka_unit_test(an_nmi_in_the_shadow_of_sti_waits_for_the_interrupt_window),
		cmocka_unit_test(otherwise_each_event_has_its_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
