/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every form of access to a device register has the same effect as on memory. The test uses
 * the initial count of the masked timer, which keeps all 32 bits, and a word of RAM mapped
 * at the same address.
 */
#include "tests/guest/lapic/lapic.h"
#include "tests/guest/lib/form.h"

#define OLD_VALUE 0x9abcdef0u
#define REGISTER  (WINDOW + APIC_TIMER_INITIAL)
#define UNCACHED  0x18u

static uint32_t ram[1024] __attribute__((aligned(4096)));
static uint64_t source[4], source_expected[4];
static struct form_state expected;

static volatile uint32_t *target(void)
{
	return (volatile uint32_t *)REGISTER;
}

static int run(const struct form *form, uint64_t page)
{
	int vector;

	window_set(0, page | PTE_P | PTE_W | UNCACHED);
	*target() = OLD_VALUE;
	source[0] = UINT64_C(0x1122334455667788);
	form_state = (struct form_state){
		.rax = 0x81828384,
		.rbx = UINT64_C(0x1122334455667788),
		.rcx = 5,
		.rdx = 0xd0d1d2d3,
		.rsi = (uint64_t)(uintptr_t)source,
		.rdi = REGISTER,
		.r8 = UINT64_C(0xfedcba9876543210),
		.rflags = 2,
	};
	form_state.fx[0] = 0x7f;
	form_state.fx[1] = 0x03;
	form_state.fx[24] = 0x80;
	form_state.fx[25] = 0x1f;
	form_code = form->code;
	write_dr6(UINT64_C(0xffff0ff0));
	trap_gate(VECTOR_DB, form->kind == ESCAPES ? form_escape_step : NULL, 0);
	vector = catch_fault(form_run, NULL);
	trap_gate(VECTOR_DB, NULL, 0);
	return vector;
}

static bool same_state(const struct form *form)
{
	uint64_t flags = 0xcd5 & ~(uint64_t)form->undefined;

	return memcmp(&expected, &form_state, offsetof(struct form_state, rflags)) == 0 &&
	       (expected.rflags & flags) == (form_state.rflags & flags) &&
	       source[0] == source_expected[0];
}

static void check(const struct form *form)
{
	uint32_t value;
	int vector;

	run(form, (uint64_t)(uintptr_t)ram);
	expected = form_state;
	source_expected[0] = source[0];
	value = *target();
	vector = run(form, APIC_PAGE);
	report(vector == NO_FAULT && same_state(form) && *target() == value,
	       "xapic: %s: %#x, in RAM %#x", form->name, *target(), value);
}

/* The two forms with an absolute address need the APIC's page as the window's first. */
static bool names_address(const struct form *form)
{
	return memcmp(form->name, "movabs", 6) == 0;
}

static void check_absolute(const struct form *form)
{
	uint64_t eax = 0x81828384;
	bool load = memcmp(form->name, "movabs eax", 10) == 0;

	run(form, APIC_PAGE);
	report(load ? form_state.rax == OLD_VALUE : *target() == eax, "xapic: %s", form->name);
}

void xapic_access_check(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	for (const struct form *form = forms_start; form < forms_end; form++) {
		if (names_address(form))
			check_absolute(form);
		else
			check(form);
	}
	apic_enable();
	window_set(0, 0);
}
