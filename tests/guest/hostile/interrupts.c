/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions with interrupts: local APIC, I/O APIC, messages between processors, timers. */
#include "tests/guest/hostile/hostile.h"

#define X2APIC_MSRS    0x800u
#define X2APIC_ICR     0x830u
#define ICR_MODE       0x700u
#define ICR_INIT       0x500u
#define ICR_SIPI       0x600u
#define ICR_ASSERT     0x4000u
#define ICR_SHORTHAND  0xc0000u
#define IOREDTBL       0x10
#define REDIRECT_MODE  0x700u
#define UART_IER       0x3f9
#define REAL_MODE_PAGE 0x40
#define MIN_TICKS      2000
#define DEFAULT_BASE   UINT64_C(0xfee00000)

/* Let come what has been asked for. */
static void take_interrupts(struct actor *a)
{
	actor_limit((uint32_t)(MIN_TICKS + random_below(&a->random, MIN_TICKS)));
	asm volatile("sti; nop; nop; pause; nop; cli" : : : "memory");
}

/* A register except the one that sends to others. */
static uint32_t any_register(struct actor *a)
{
	uint32_t reg = (uint32_t)random_below(&a->random, 0x40);

	return reg == 0x30 ? 0x3f : reg;
}

static uint32_t any_setting(struct actor *a)
{
	static const uint32_t settings[] = {0,	     1,	      2,       0xff,  0x1ff,
					    0x10000, 0x20030, 0x400ff, 0x7ff, 0xb};

	if (random_once_in(&a->random, 2))
		return random_of_list(&a->random, settings);
	return (uint32_t)random_value(&a->random);
}

/* xAPIC mode, perhaps at another address, and accesses of every size and alignment. */
static void use_page(struct actor *a)
{
	uint64_t base = a->apic_base & ~(APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	uint64_t page = random_once_in(&a->random, 8) ? kind_page(a, KIND_PRIVATE) : DEFAULT_BASE;
	volatile uint32_t *reg = (volatile uint32_t *)(page + any_register(a) * 16);

	wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, (base & 0xfff) | page | APIC_BASE_ENABLE);
	switch (random_below(&a->random, 4)) {
	case 0:
		(void)*reg;
		break;
	case 1:
		(void)*(volatile uint64_t *)((uint64_t)(uintptr_t)reg +
					     random_below(&a->random, 16));
		break;
	case 2:
		*(volatile uint16_t *)((uint64_t)(uintptr_t)reg + 2 * random_below(&a->random, 8)) =
			0xffff;
		break;
	default:
		*reg = any_setting(a);
	}
}

void do_apic(struct actor *a)
{
	if (random_once_in(&a->random, 3)) {
		use_page(a);
	} else if (random_once_in(&a->random, 8)) {
		wrmsr(MSR_APIC_BASE, random_value(&a->random));
	} else {
		for (unsigned i = 0; i < 4; i++)
			wrmsr(X2APIC_MSRS + any_register(a), any_setting(a));
	}
	take_interrupts(a);
}

/* Anything to anybody, except INIT and SIPI: these have an action of their own. */
void do_ipi(struct actor *a)
{
	for (unsigned i = 0; i < 20; i++) {
		uint32_t command = (uint32_t)random_next(&a->random) & 0xfffff;
		uint64_t to = random_below(&a->random, 5);

		if ((command & ICR_MODE) == ICR_INIT || (command & ICR_MODE) == ICR_SIPI)
			command &= ~ICR_MODE;
		if (random_once_in(&a->random, 8))
			to = random_value(&a->random);
		wrmsr(X2APIC_ICR, to << 32 | command | ICR_ASSERT);
	}
	take_interrupts(a);
}

/* The last processor is the puppet: no actor uses it, and it never starts anything sensible. */
static void start_puppet(struct actor *a, uint64_t page)
{
	uint64_t to = (uint64_t)smp_id(N_ACTORS_MAX) << 32;

	if (random_once_in(&a->random, 3))
		wrmsr(X2APIC_ICR, to | ICR_INIT | ICR_ASSERT);
	wrmsr(X2APIC_ICR, to | ICR_SIPI | ICR_ASSERT | page);
}

static void stop_puppet(void)
{
	wrmsr(X2APIC_ICR, (uint64_t)smp_id(N_ACTORS_MAX) << 32 | ICR_INIT | ICR_ASSERT);
}

static void spin(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < ticks)
		cpu_pause();
}

/* INIT and SIPI as fast as possible, to pages of zeros, of tables, of nothing. */
void do_sipi(struct actor *a)
{
	for (unsigned i = 0; i < 20; i++) {
		start_puppet(a, random_below(&a->random, 0x100));
		if (random_once_in(&a->random, 4))
			spin(random_below(&a->random, 3000));
	}
	stop_puppet();
}

/* Random bytes, or instructions of the table, as real mode code. */
void do_real_mode(struct actor *a)
{
	uint64_t page = REAL_MODE_PAGE + 2 * a->cpu;
	uint8_t *code = (uint8_t *)(page * PAGE_SIZE);

	for (unsigned i = 0; i < 64; i++)
		put_code(a, code + i * 4, 4);
	start_puppet(a, page);
	spin(random_below(&a->random, 5000));
	stop_puppet();
}

static void set_pin(struct actor *a, unsigned pin)
{
	uint32_t low = (uint32_t)random_next(&a->random) & 0x1afff;

	if ((low & REDIRECT_MODE) == ICR_INIT)
		low &= ~REDIRECT_MODE;
	a->pins |= (uint32_t)BIT(pin);
	ioapic_write((uint8_t)(IOREDTBL + 2 * pin + 1), (uint32_t)random_below(&a->random, 5)
								<< 24);
	ioapic_write((uint8_t)(IOREDTBL + 2 * pin), low);
}

void do_ioapic(struct actor *a)
{
	set_pin(a, random_once_in(&a->random, 2) ? 4 : (unsigned)random_below(&a->random, N_PINS));
	outb(2, UART_IER); /* the transmitter is empty: pin 4 */
	if (random_once_in(&a->random, 4))
		(void)ioapic_read((uint8_t)random_next(&a->random));
	take_interrupts(a);
	outb(0, UART_IER);
}

void do_timer(struct actor *a)
{
	static const uint32_t counts[] = {0, 1, 2, 10, 100, 1000, 20000, UINT32_MAX};
	static const uint64_t modes[] = {0, LVT_PERIODIC, LVT_TSC_DEADLINE,
					 LVT_PERIODIC | LVT_TSC_DEADLINE};
	uint8_t vector = (uint8_t)(VECTOR_FIRST + random_below(&a->random, 190));

	apic_write(APIC_TIMER_DIVIDE, (uint32_t)random_below(&a->random, 16));
	apic_write(APIC_LVT_TIMER, (uint32_t)random_of_list(&a->random, modes) | vector);
	apic_write(APIC_TIMER_INITIAL, random_of_list(&a->random, counts));
	if (random_once_in(&a->random, 2))
		wrmsr(MSR_TSC_DEADLINE, random_once_in(&a->random, 2)
						? random_value(&a->random)
						: rdtsc() + random_below(&a->random, 5000));
	for (unsigned i = 0; i < 100; i++)
		sti_nop_cli();
	(void)apic_read(APIC_TIMER_CURRENT);
}
