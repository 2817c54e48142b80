/* SPDX-License-Identifier: BSD-2-Clause */
/* Which interrupt is delivered first, which ones TPR and CR8 block, and nesting until EOI. */
#include "tests/guest/lapic/lapic.h"

#define MAX_EVENTS 8

static const uint8_t vectors[] = {0x45, 0x55, 0x65};
static uint8_t order[MAX_EVENTS];
static volatile unsigned n_events;
static volatile uint32_t ppr_seen;

static void note(uint8_t vector)
{
	if (n_events < MAX_EVENTS)
		order[n_events++] = vector;
}

static bool simple(struct trap_frame *f)
{
	note((uint8_t)f->vector);
	apic_write(APIC_EOI, 0);
	return true;
}

/* In 0x55: a lower vector must wait for the EOI, a higher one interrupts. */
static bool nesting(struct trap_frame *f)
{
	note((uint8_t)f->vector);
	ppr_seen = apic_read(APIC_PPR);
	apic_self_ipi(0x45);
	apic_self_ipi(0x65);
	sti();
	for (int i = 0; i < 1000; i++)
		cpu_pause();
	cli();
	note(0xee);
	apic_write(APIC_EOI, 0);
	return true;
}

static bool order_is(const uint8_t *expected, unsigned n)
{
	return n_events == n && memcmp(order, expected, n) == 0;
}

static void open_window(void)
{
	sti();
	for (int i = 0; i < 1000; i++)
		cpu_pause();
	cli();
}

static void hold_back(const char *mode)
{
	n_events = 0;
	write_cr8(5);
	report(apic_read(APIC_TPR) == 0x50, "%s: CR8 5 is TPR %#x", mode, apic_read(APIC_TPR));
	for (unsigned i = 0; i < 3; i++)
		apic_self_ipi(vectors[i]);
	open_window();
	report(order_is((uint8_t[]){0x65}, 1), "%s: CR8 5 lets only 0x65 through", mode);
	apic_write(APIC_TPR, 0x4f);
	report(read_cr8() == 4, "%s: TPR 0x4f is CR8 %lu", mode, read_cr8());
	open_window();
	report(order_is((uint8_t[]){0x65, 0x55}, 2), "%s: TPR 0x4f lets 0x55 through", mode);
	write_cr8(0);
	open_window();
	report(order_is((uint8_t[]){0x65, 0x55, 0x45}, 3), "%s: CR8 0 lets 0x45 through", mode);
	report(apic_read(APIC_TPR) == 0, "%s: TPR is 0 again", mode);
}

void priority_check(const char *mode)
{
	for (unsigned i = 0; i < 3; i++)
		trap_hook(vectors[i], simple);
	n_events = 0;
	for (unsigned i = 0; i < 3; i++)
		apic_self_ipi(vectors[i]);
	open_window();
	report(order_is((uint8_t[]){0x65, 0x55, 0x45}, 3), "%s: highest first", mode);

	hold_back(mode);

	n_events = 0;
	trap_hook(0x55, nesting);
	apic_self_ipi(0x55);
	open_window();
	report(order_is((uint8_t[]){0x55, 0x65, 0xee, 0x45}, 4),
	       "%s: higher nests, lower waits for EOI", mode);
	report(ppr_seen == 0x50, "%s: PPR %#x in 0x55", mode, ppr_seen);
	for (unsigned i = 0; i < 3; i++)
		trap_hook(vectors[i], NULL);
}
