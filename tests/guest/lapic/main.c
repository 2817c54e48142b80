/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt controllers, in xAPIC mode and, where there is one, x2APIC mode. */
#include "tests/guest/lapic/lapic.h"

#define CPUID_X2APIC BIT(21)

static void both_modes(const char *mode)
{
	apic_enable();
	registers_check(mode);
	delivery_check(mode);
	priority_check(mode);
	timer_check(mode);
	ioapic_check(mode);
}

void payload(void)
{
	both_modes("xapic");
	xapic_access_check();
	xapic_base_check();
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		report_missing("x2apic: not in CPUID");
		return;
	}
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	both_modes("x2apic");
	pv_eoi_check();
	x2apic_check();
}
