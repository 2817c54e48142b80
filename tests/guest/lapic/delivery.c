/* SPDX-License-Identifier: BSD-2-Clause */
/* Interprocessor interrupts to the sender, by every form of addressing; EOI; coalescing. */
#include "tests/guest/lapic/lapic.h"

#define VECTOR	    0x45
#define ICR_ASSERT  0x4000u
#define ICR_LOGICAL 0x0800u
#define ICR_SELF    0x40000u
#define ICR_ALL	    0x80000u
#define X2APIC_ICR  0x830u

static uint32_t own_id(void)
{
	return apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

static void send(uint32_t destination, uint32_t command)
{
	if (apic_is_x2()) {
		wrmsr(X2APIC_ICR, (uint64_t)destination << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, destination << 24);
	apic_write(APIC_ICR, command);
}

static void expect_one(const char *mode, const char *how)
{
	bool pending = apic_requested(VECTOR);
	bool came = irq_wait(VECTOR, 1);

	report(pending && came && irq_count[VECTOR] == 1, "%s: IPI to %s, %u times", mode, how,
	       irq_count[VECTOR]);
	irq_count[VECTOR] = 0;
}

static uint32_t logical_destination(void)
{
	if (apic_is_x2())
		return apic_read(APIC_LDR);
	apic_write(APIC_DFR, 0xffffffff);
	apic_write(APIC_LDR, 0x04000000);
	return 0x04;
}

void delivery_check(const char *mode)
{
	irq_count_on(VECTOR);
	send(0, ICR_SELF | ICR_ASSERT | VECTOR);
	expect_one(mode, "self");
	send(0, ICR_ALL | ICR_ASSERT | VECTOR);
	expect_one(mode, "all");
	send(own_id(), ICR_ASSERT | VECTOR);
	expect_one(mode, "physical ID");
	send(logical_destination(), ICR_LOGICAL | ICR_ASSERT | VECTOR);
	expect_one(mode, "logical ID");
	send(apic_is_x2() ? 0xffffffff : 0xff, ICR_ASSERT | VECTOR);
	expect_one(mode, "broadcast");

	apic_self_ipi(VECTOR);
	apic_self_ipi(VECTOR);
	expect_one(mode, "self twice is one while pending");

	send(own_id() + 1, ICR_ASSERT | VECTOR);
	report(!apic_requested(VECTOR), "%s: IPI to somebody else", mode);
	report(!apic_in_service(VECTOR), "%s: EOI done", mode);

	apic_self_ipi(VECTOR);
	sti_hlt_cli();
	report(irq_count[VECTOR] == 1, "%s: HLT with a pending one wakes immediately", mode);
	irq_count_off(VECTOR);
}
