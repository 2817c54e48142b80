/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers' values, and which bits they keep. */
#include "tests/guest/lapic/lapic.h"

struct register_case {
	const char *name;
	enum apic_register reg;
	uint32_t written, expected;
};

static const struct register_case cases[] = {
	{"TPR", APIC_TPR, 0xa5, 0xa5},
	{"SVR", APIC_SVR, 0x1ef, 0x1ef},
	{"LVT timer", APIC_LVT_TIMER, 0x30041, 0x30041},
	{"LVT LINT0", APIC_LVT_LINT0, 0x10700, 0x10700},
	{"LVT LINT1", APIC_LVT_LINT1, 0x10400, 0x10400},
	{"LVT error", APIC_LVT_ERROR, 0x10042, 0x10042},
	{"divide", APIC_TIMER_DIVIDE, 0xb, 0xb},
	{"initial count", APIC_TIMER_INITIAL, 0xfedcba98, 0xfedcba98},
};

void registers_check(const char *mode)
{
	uint32_t id = apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
	uint32_t version = apic_read(APIC_VERSION);
	bool empty = true;

	report((id & 0xff) == cpuid(1, 0).ebx >> 24, "%s: ID %#x as in CPUID", mode, id);
	report((version & 0xf0) == 0x10 && (version >> 16 & 0xff) >= 3, "%s: version %#x", mode,
	       version);
	for (unsigned v = 0; v < 256; v += 32)
		empty &= apic_read(APIC_ISR + v / 2) == 0 && apic_read(APIC_IRR + v / 2) == 0;
	report(empty, "%s: IRR and ISR empty", mode);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t old = apic_read(cases[i].reg);
		uint32_t found;

		apic_write(cases[i].reg, cases[i].written);
		found = apic_read(cases[i].reg);
		apic_write(cases[i].reg, old);
		report(found == cases[i].expected, "%s: %s %#x", mode, cases[i].name, found);
	}
	apic_enable();
}
