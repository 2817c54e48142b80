/* SPDX-License-Identifier: BSD-2-Clause */
/* IA32_APIC_BASE: disabling and enabling, refused values, and the rules of x2APIC. */
#include "tests/guest/lapic/lapic.h"

#define CPUID_APIC  BIT(9)
#define SVR_RESET   0xffu
#define X2APIC(reg) (0x800u + (reg) / 16)
#define X2APIC_SELF 0x83fu
#define SELF_VECTOR 0x46
#define LOW_VECTOR  0x47
#define HIGH_VECTOR 0x57

struct msr_write {
	uint32_t index;
	uint64_t value;
};

static void do_write(void *arg)
{
	const struct msr_write *w = arg;

	wrmsr(w->index, w->value);
}

static void do_read(void *arg)
{
	(void)rdmsr(*(const uint32_t *)arg);
}

static void expect_gp(const char *what, uint32_t index, uint64_t value)
{
	struct msr_write w = {index, value};
	int vector = catch_fault(do_write, &w);

	report(vector == VECTOR_GP, "%s: vector %d", what, vector);
}

/* Checks that TCG does not make. */
static void check_as_after_reset(uint64_t base)
{
	report(apic_read(APIC_SVR) == SVR_RESET && apic_read(APIC_TPR) == 0,
	       "base: on again as after reset: SVR %#x, TPR %#x", apic_read(APIC_SVR),
	       apic_read(APIC_TPR));
	report(cpuid(1, 0).edx & CPUID_APIC, "base: on again, CPUID shows it");
	expect_gp("base: reserved bits are refused", MSR_APIC_BASE, base | BIT(63));
	expect_gp("base: x2APIC without enable is refused", MSR_APIC_BASE,
		  (base | APIC_BASE_X2APIC) & ~APIC_BASE_ENABLE);
}

void xapic_base_check(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	report((base & ~UINT64_C(0xfff)) == APIC_PAGE && (base & APIC_BASE_ENABLE), "base: %#lx",
	       base);
	apic_write(APIC_TPR, 0x20);
	wrmsr(MSR_APIC_BASE, base & ~APIC_BASE_ENABLE);
	report(!(cpuid(1, 0).edx & CPUID_APIC), "base: off, CPUID shows it");
	wrmsr(MSR_APIC_BASE, base);
	if (param_given("strict"))
		check_as_after_reset(base);
	apic_enable();
	irq_count_on(SELF_VECTOR);
	apic_self_ipi(SELF_VECTOR);
	report(irq_wait(SELF_VECTOR, 1), "base: on again, interrupts arrive");
	irq_count_off(SELF_VECTOR);
}

static void expect_read_gp(const char *what, uint32_t index)
{
	int vector = catch_fault(do_read, &index);

	report(vector == VECTOR_GP, "x2apic: reading %s: vector %d", what, vector);
}

static volatile uint64_t trapped_at;

static bool note_trap(struct trap_frame *f)
{
	trapped_at = f->rip;
	f->rflags &= ~RFLAGS_TF;
	return true;
}

static bool leave_in_service(struct trap_frame *f)
{
	(void)f;
	return true;
}

/* Two interrupts, the second of which interrupts the first: both are in service. */
static void enter_service(void)
{
	for (uint8_t vector = LOW_VECTOR; vector <= HIGH_VECTOR; vector += 0x10) {
		trap_hook(vector, leave_in_service);
		apic_self_ipi(vector);
		sti();
		for (int i = 0; i < 1000; i++)
			cpu_pause();
		cli();
		trap_hook(vector, NULL);
	}
}

/* An EOI that does not exit still ends one interrupt, and its single step traps. */
static void check_step_over_eoi(void)
{
	uint64_t after;

	enter_service();
	report(apic_in_service(LOW_VECTOR) && apic_in_service(HIGH_VECTOR),
	       "x2apic: two are in service");
	trap_hook(VECTOR_DB, note_trap);
	asm volatile("lea 1f(%%rip), %0\n\t"
		     "pushfq; orq $0x100, (%%rsp); popfq\n\t"
		     "wrmsr\n"
		     "1:\tnop"
		     : "=&r"(after)
		     : "a"(0), "d"(0), "c"(X2APIC(APIC_EOI))
		     : "memory", "cc");
	trap_hook(VECTOR_DB, NULL);
	report(trapped_at == after, "x2apic: a step over EOI traps after it: %#lx, not %#lx",
	       trapped_at, after);
	report(apic_in_service(LOW_VECTOR) && !apic_in_service(HIGH_VECTOR),
	       "x2apic: EOI ends the higher one");
	apic_write(APIC_EOI, 0);
	report(!apic_in_service(LOW_VECTOR), "x2apic: EOI ends the lower one");
}

void x2apic_check(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	expect_gp("x2apic: ID is read-only", X2APIC(APIC_ID), 0);
	expect_gp("x2apic: version is read-only", X2APIC(APIC_VERSION), 0);
	expect_gp("x2apic: LDR is read-only", X2APIC(APIC_LDR), 0);
	expect_gp("x2apic: EOI of other than 0", X2APIC(APIC_EOI), 1);
	expect_gp("x2apic: reserved bits of TPR", X2APIC(APIC_TPR), 0x100);
	expect_gp("x2apic: no ICR high", X2APIC(APIC_ICR_HIGH), 0);
	expect_read_gp("DFR", X2APIC(APIC_DFR));
	expect_read_gp("EOI", X2APIC(APIC_EOI));
	expect_read_gp("ICR high", X2APIC(APIC_ICR_HIGH));
	expect_read_gp("self IPI", X2APIC_SELF);
	expect_read_gp("0x801", 0x801);
	expect_read_gp("0x8ff", 0x8ff);
	expect_gp("x2apic: straight back to xAPIC", MSR_APIC_BASE, base & ~APIC_BASE_X2APIC);

	irq_count_on(SELF_VECTOR);
	wrmsr(X2APIC_SELF, SELF_VECTOR);
	report(irq_wait(SELF_VECTOR, 1), "x2apic: self IPI register");
	check_step_over_eoi();
	enter_service();
	wrmsr(MSR_APIC_BASE, base & ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE));
	wrmsr(MSR_APIC_BASE, base & ~APIC_BASE_X2APIC);
	apic_enable();
	report(!apic_in_service(HIGH_VECTOR), "x2apic: off, nothing is in service");
	apic_self_ipi(SELF_VECTOR);
	report(!apic_is_x2() && irq_wait(SELF_VECTOR, 2), "x2apic: back to xAPIC through off");
	irq_count_off(SELF_VECTOR);
}
