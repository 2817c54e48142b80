/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOAPIC, with the UART's "transmitter empty" (GSI 4) as the source of interrupts. */
#include "tests/guest/lapic/lapic.h"

#define UART	     0x3f8
#define UART_IER     (UART + 1)
#define UART_IIR     (UART + 2)
#define UART_MCR     (UART + 4)
#define UART_LSR     (UART + 5)
#define IER_TX	     0x02
#define MCR_ON	     0x0b
#define LSR_EMPTY    0x60
#define IIR_TX	     0x02
#define GSI	     4
#define VECTOR	     0x34
#define LEVEL	     BIT(15)
#define REG_VERSION  1
#define REG_REDIR(n) (uint8_t)(0x10 + 2 * (n))

static volatile unsigned n_irqs, clear_at;
static volatile uint8_t first_iir;

static bool on_uart(struct trap_frame *f)
{
	(void)f;
	if (++n_irqs == 1 && clear_at == 1)
		first_iir = inb(UART_IIR);
	else if (n_irqs >= clear_at)
		outb(0, UART_IER);
	apic_write(APIC_EOI, 0);
	return true;
}

static void expect_irqs(unsigned n)
{
	uint64_t begin = rdtsc();

	while (n_irqs < n && rdtsc() - begin < WAIT_TICKS)
		sti_nop_cli();
	for (int i = 0; i < 100; i++)
		sti_nop_cli();
}

static void quiet(void)
{
	outb(0, UART_IER);
	while ((inb(UART_LSR) & LSR_EMPTY) != LSR_EMPTY)
		cpu_pause();
	n_irqs = 0;
}

static void edge(const char *mode)
{
	unsigned at_once, after_byte;

	quiet();
	clear_at = 1;
	ioapic_route(GSI, VECTOR, false);
	outb(IER_TX, UART_IER);
	expect_irqs(1);
	at_once = n_irqs;
	n_irqs = 0;
	outb(' ', UART);
	expect_irqs(1);
	after_byte = n_irqs;
	quiet();
	report(at_once == 1 && (first_iir & 0xf) == IIR_TX, "%s: THRE interrupt when enabled: %u",
	       mode, at_once);
	report(after_byte == 1, "%s: THRE interrupt after a byte: %u", mode, after_byte);

	ioapic_route(GSI, VECTOR, true);
	outb(IER_TX, UART_IER);
	expect_irqs(0);
	quiet();
	report(n_irqs == 0, "%s: a masked pin asks for nothing", mode);
}

/* The line stays asserted across the first EOI: the interrupt must be delivered again. */
static void level(const char *mode)
{
	unsigned n;

	quiet();
	clear_at = 2;
	ioapic_route(GSI, VECTOR, true);
	ioapic_write(REG_REDIR(GSI), LEVEL | VECTOR);
	outb(IER_TX, UART_IER);
	expect_irqs(2);
	n = n_irqs;
	quiet();
	ioapic_route(GSI, VECTOR, true);
	report(n == 2, "%s: level-triggered repeats until cleared: %u", mode, n);
}

void ioapic_check(const char *mode)
{
	uint32_t version = ioapic_read(REG_VERSION);

	report((version >> 16 & 0xff) >= 15, "%s: IOAPIC version %#x", mode, version);
	ioapic_route(7, 0x77, true);
	report(ioapic_read(REG_REDIR(7)) == (BIT(16) | 0x77), "%s: IOAPIC entry reads back", mode);
	trap_hook(VECTOR, on_uart);
	outb(MCR_ON, UART_MCR);
	edge(mode);
	level(mode);
	trap_hook(VECTOR, NULL);
}
