/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APIC and IOAPIC at their usual addresses; counts interrupts by vector. */
#include "tests/guest/lib/lib.h"

#define X2APIC_MSRS	0x800u
#define IOAPIC		UINT64_C(0xfec00000)
#define IOAPIC_DATA	UINT64_C(0xfec00010)
#define IOREDTBL	0x10
#define IOREDTBL_MASKED BIT(16)
#define ICR_ASSERT	BIT(14)
#define ICR_SELF	BIT(18)
#define SPURIOUS	0xff
#define DIVIDE_BY_ONE	0xb

volatile uint32_t irq_count[256];

static volatile uint32_t *mmio(uint64_t address)
{
	return (volatile uint32_t *)address;
}

bool apic_is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

uint32_t apic_read(enum apic_register reg)
{
	if (apic_is_x2())
		return (uint32_t)rdmsr(X2APIC_MSRS + reg / 16);
	return *mmio(APIC_PAGE + reg);
}

void apic_write(enum apic_register reg, uint32_t value)
{
	if (apic_is_x2())
		wrmsr(X2APIC_MSRS + reg / 16, value);
	else
		*mmio(APIC_PAGE + reg) = value;
}

void apic_enable(void)
{
	apic_write(APIC_SVR, APIC_SVR_ENABLE | SPURIOUS);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_ONE);
	apic_write(APIC_TPR, 0);
}

void apic_self_ipi(uint8_t vector)
{
	apic_write(APIC_ICR, (uint32_t)(ICR_SELF | ICR_ASSERT | vector));
}

static bool vector_bit(enum apic_register first, uint8_t vector)
{
	enum apic_register reg = first + (vector / 32u) * 16;

	return apic_read(reg) >> (vector % 32) & 1;
}

bool apic_requested(uint8_t vector)
{
	return vector_bit(APIC_IRR, vector);
}

bool apic_in_service(uint8_t vector)
{
	return vector_bit(APIC_ISR, vector);
}

static bool count_irq(struct trap_frame *f)
{
	irq_count[f->vector]++;
	apic_write(APIC_EOI, 0);
	return true;
}

void irq_count_on(uint8_t vector)
{
	irq_count[vector] = 0;
	trap_hook(vector, count_irq);
}

void irq_count_off(uint8_t vector)
{
	trap_hook(vector, NULL);
}

bool irq_wait(uint8_t vector, uint32_t n)
{
	uint64_t start = rdtsc();

	while (irq_count[vector] < n && rdtsc() - start < WAIT_TICKS) {
		sti_nop_cli();
	}
	return irq_count[vector] >= n;
}

void ioapic_write(uint8_t reg, uint32_t value)
{
	*mmio(IOAPIC) = reg;
	*mmio(IOAPIC_DATA) = value;
}

uint32_t ioapic_read(uint8_t reg)
{
	*mmio(IOAPIC) = reg;
	return *mmio(IOAPIC_DATA);
}

void ioapic_route(unsigned gsi, uint8_t vector, bool masked)
{
	uint32_t id = apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;

	ioapic_write((uint8_t)(IOREDTBL + 2 * gsi + 1), id << 24);
	ioapic_write((uint8_t)(IOREDTBL + 2 * gsi),
		     vector | (masked ? (uint32_t)IOREDTBL_MASKED : 0));
}
