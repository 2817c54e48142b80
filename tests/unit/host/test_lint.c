/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/lint.h"

#include "tests/unit/support.h"

static const struct acpi *processors(const struct acpi_lint *lints, uint32_t n)
{
	static struct acpi acpi;

	acpi = (struct acpi){.n_cpus = 2, .cpu_apic_id = {0, 4}, .cpu_uid = {10, 11}};
	for (acpi.n_lints = 0; acpi.n_lints < n; acpi.n_lints++)
		acpi.lint[acpi.n_lints] = lints[acpi.n_lints];
	return &acpi;
}

static void without_entries_pin_1_is_nmi(void **state)
{
	assert_int_equal(lint_entry(processors(NULL, 0), 0, 0), LVT_MASKED);
	assert_int_equal(lint_entry(processors(NULL, 0), 4, 1), LVT_NMI);
}

static void an_entry_for_all_counts_on_each(void **state)
{
	static const struct acpi_lint all = {ACPI_LINT_ALL, 0, false};

	assert_int_equal(lint_entry(processors(&all, 1), 0, 0), LVT_NMI);
	assert_int_equal(lint_entry(processors(&all, 1), 4, 0), LVT_NMI);
	assert_int_equal(lint_entry(processors(&all, 1), 4, 1), LVT_MASKED);
}

static void an_entry_for_one_counts_there(void **state)
{
	static const struct acpi_lint lints[] = {{10, 1, false}, {11, 0, true}};

	assert_int_equal(lint_entry(processors(lints, 2), 0, 1), LVT_NMI);
	assert_int_equal(lint_entry(processors(lints, 2), 0, 0), LVT_MASKED);
	assert_int_equal(lint_entry(processors(lints, 2), 4, 0), LVT_NMI | LVT_ACTIVE_LOW);
	assert_int_equal(lint_entry(processors(lints, 2), 4, 1), LVT_MASKED);
	/* A processor that the table does not have. */
	assert_int_equal(lint_entry(processors(lints, 2), 10, 1), LVT_MASKED);
}

static void the_firmware_keeps_its_thermal_smi(void **state)
{
	assert_int_equal(lint_thermal_entry(LVT_SMI), LVT_SMI);
	assert_int_equal(lint_thermal_entry(LVT_MASKED | LVT_SMI), LVT_MASKED | LVT_SMI);
	assert_int_equal(lint_thermal_entry(0xf1), LVT_MASKED);
	assert_int_equal(lint_thermal_entry(LVT_NMI), LVT_MASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_entries_pin_1_is_nmi),
		cmocka_unit_test(an_entry_for_all_counts_on_each),
		cmocka_unit_test(an_entry_for_one_counts_there),
		cmocka_unit_test(the_firmware_keeps_its_thermal_smi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
