/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/run/cr_check.h"

#include "hv/host/msr.h"
#include "tests/unit/support.h"

#define PAGED (CR0_PE | CR0_PG)

static void cr0_changes_as_the_processor_allows(void **state)
{
	static const struct {
		uint64_t old, value;
		struct cr_state state;
		bool allowed;
	} cases[] = {
		{CR0_PE, PAGED, {0}, true},
		{CR0_PE, CR0_PG, {0}, false},
		{CR0_PE, CR0_PE | CR0_NW, {0}, false},
		{CR0_PE, CR0_PE | CR0_NW | CR0_CD, {0}, true},
		{CR0_PE, CR0_PE | BIT(32), {0}, false},
		/* into long mode */
		{CR0_PE, PAGED, {.efer = EFER_LME}, false},
		{CR0_PE, PAGED, {.efer = EFER_LME, .cr4 = CR4_PAE}, true},
		{CR0_PE, PAGED, {CR4_PAE, EFER_LME, true}, false},
		{PAGED, PAGED | CR0_CD, {CR4_PAE, EFER_LME | EFER_LMA, true}, true},
		/* out of it: not from 64-bit code, and not while PCIDs are on */
		{PAGED, CR0_PE, {CR4_PAE, EFER_LME | EFER_LMA, true}, false},
		{PAGED, CR0_PE, {CR4_PAE, EFER_LME | EFER_LMA, false}, true},
		{PAGED, CR0_PE | CR0_CD, {CR4_PAE | CR4_PCIDE, EFER_LME | EFER_LMA, false}, false},
		/* CS.L means nothing outside of long mode */
		{PAGED, CR0_PE, {0, 0, true}, true},
		{CR0_PE, CR0_PE | CR0_CD, {CR4_PCIDE, 0, false}, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cr0_may_become(cases[i].old, cases[i].value, &cases[i].state) !=
		    cases[i].allowed)
			fail_msg("case %zu", i);
}

static void pdptes_have_reserved_bits_if_present(void **state)
{
	uint64_t pdpte[4] = {0x1001, 0, UINT64_MAX - 1, 0x2001};

	assert_true(pdptes_may_be(pdpte, 39));
	for (unsigned bit = 0; bit < 64; bit++) {
		bool is_reserved = (bit >= 1 && bit <= 2) || (bit >= 5 && bit <= 8) || bit >= 39;

		pdpte[3] = 1 | BIT(bit);
		assert_int_equal(pdptes_may_be(pdpte, 39), !is_reserved);
	}
	pdpte[3] = 1 | BIT(39);
	assert_true(pdptes_may_be(pdpte, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr0_changes_as_the_processor_allows),
		cmocka_unit_test(pdptes_have_reserved_bits_if_present),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
