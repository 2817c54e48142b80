/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines from the UART by interrupt (GSI 4), repeats each, ends on "quit". */
#include "tests/guest/lib/lib.h"

#define UART	    0x3f8
#define UART_IER    (UART + 1)
#define UART_IIR    (UART + 2)
#define UART_MCR    (UART + 4)
#define UART_LSR    (UART + 5)
#define IER_RX	    0x01
#define MCR_ON	    0x0b /* DTR, RTS, OUT2: the gate of the interrupt */
#define LSR_DATA    0x01
#define UART_GSI    4
#define UART_VECTOR 0x34

static char line[128];
static volatile bool complete;
static unsigned length;
static volatile unsigned n_interrupts;

static void take(char c)
{
	if (c == '\n' || c == '\r') {
		line[length] = '\0';
		complete = length > 0;
		length = 0;
	} else if (length < sizeof(line) - 1) {
		line[length++] = c;
	}
}

static bool on_interrupt(struct trap_frame *f)
{
	(void)f;
	n_interrupts++;
	(void)inb(UART_IIR);
	while (!complete && (inb(UART_LSR) & LSR_DATA))
		take((char)inb(UART));
	apic_write(APIC_EOI, 0);
	return true;
}

/* Bytes that arrived while a line was waiting raised no new edge. */
static void take_the_rest(void)
{
	while (!complete && (inb(UART_LSR) & LSR_DATA))
		take((char)inb(UART));
}

void payload(void)
{
	apic_enable();
	trap_hook(UART_VECTOR, on_interrupt);
	ioapic_route(UART_GSI, UART_VECTOR, false);
	outb(MCR_ON, UART_MCR);
	outb(IER_RX, UART_IER);
	print("input: ready\n");
	for (;;) {
		take_the_rest();
		while (!complete)
			sti_hlt_cli();
		print("input: \"%s\"\n", line);
		complete = false;
		if (str_equal(line, "quit"))
			break;
	}
	report(n_interrupts > 0, "input: %u interrupts", n_interrupts);
}
