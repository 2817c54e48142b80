/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/mce_text.h"

#include <string.h>

#include "hv/host/msr.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

static char text[MCE_TEXT_MAX];

static const char *describe(uint64_t status)
{
	struct mce_bank bank = {.cpu = 3,
				.bank = 1,
				.mcg_status = 5,
				.status = MCE_STATUS_VALID | status,
				.address = 0x12345000,
				.misc = 0x8c};

	mce_describe(&bank, text);
	return text;
}

static void kinds_of_errors_are_named(void **state)
{
	static const struct {
		uint16_t code;
		const char *name;
	} rows[] = {
		{0x0000, ": unnamed error,"},
		{0x0001, ": unclassified error,"},
		{0x0005, ": internal parity error,"},
		{0x0400, ": internal timer error,"},
		{0x0402, ": internal error,"},
		{0x000d, ": cache hierarchy error,"},
		{0x0014, ": TLB error,"},
		{0x0090, ": memory controller error,"},
		{0x00cf, ": memory controller error,"},
		{0x0135, ": cache error,"},
		{0x1135, ": cache error,"},
		{0x0290, ": memory used as cache error,"},
		{0x0e0b, ": I/O error,"},
		{0x0e0f, ": bus or interconnect error,"},
		{0x0800, ": bus or interconnect error,"},
		{0xffff, ": unknown error,"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_non_null(strstr(describe(rows[i].code), rows[i].name));
}

static void the_flags_are_told(void **state)
{
	assert_string_equal(describe(0x135),
			    "machine check: processor 3, bank 1: cache error, corrected, "
			    "status 8000000000000135, MCG_STATUS 0x5");
	assert_string_equal(
		describe(MCE_STATUS_UNCORRECTED | MCE_STATUS_CORRUPT | MCE_STATUS_OVERFLOW |
			 MCE_STATUS_ADDRESS_VALID | MCE_STATUS_MISC_VALID | 0x800),
		"machine check: processor 3, bank 1: bus or interconnect error, uncorrected, the "
		"processor's state is corrupt, others were lost, status ee00000000000800, address "
		"0x12345000, misc 0x8c, MCG_STATUS 0x5");
}

static void counted_errors_are_told(void **state)
{
	struct mce_bank bank = {.status = MCE_STATUS_VALID | 0x135, .count = 1};

	mce_describe(&bank, text);
	assert_null(strstr(text, "times"));
	bank.count = 3;
	mce_describe(&bank, text);
	assert_non_null(strstr(text, ", 3 times, MCG_STATUS 0"));
}

/* The longest line has its end. */
static void every_line_fits(void **state)
{
	struct mce_bank bank = {UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX & ~UINT64_C(0xffff),
				UINT64_MAX, UINT64_MAX, UINT32_MAX};

	for (uint64_t code = 0; code <= UINT16_MAX; code++) {
		bank.status = (bank.status & ~UINT64_C(0xffff)) | code;
		mce_describe(&bank, text);
		assert_non_null(strstr(text, "MCG_STATUS 0xffffffffffffffff"));
	}
}

static void guests_do_not_take_the_machines_exceptions(void **state)
{
	assert_true(EXCEPTIONS_ALWAYS & BIT(18));
	assert_true(CR4_HOST_OWNED & CR4_MCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_errors_are_named),
		cmocka_unit_test(the_flags_are_told),
		cmocka_unit_test(counted_errors_are_told),
		cmocka_unit_test(every_line_fits),
		cmocka_unit_test(guests_do_not_take_the_machines_exceptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
