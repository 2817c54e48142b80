/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the monitor: halts between ticks of its timer and prints their number from time
 * to time, until the operator ends it. Memory and the base of FS hold what a dump must show.
 *	every=N        ticks from one line to the next (16)
 *	lines=N        lines printed first, as fast as the UART takes them (0)
 *	pages=N        pages from 8 MiB that are written to first (0)
 */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40
#define TICKS	     500000

#define UART	 0x3f8
#define UART_LSR (UART + 5)
#define LSR_THRE 0x20
#define FIFO	 16

#define PAGES UINT64_C(0x800000)

/* "line NUMBER" of two FIFOs. The FIFO is filled by one instruction when it is empty. */
static void send_line(uint64_t number)
{
	char text[2 * FIFO] = "operated: line 000000 .........\n";

	for (char *digit = text + 20; number > 0; number /= 10)
		*digit-- = (char)('0' + number % 10);
	for (unsigned sent = 0; sent < sizeof(text); sent += FIFO) {
		const char *at = text + sent;
		uint64_t n = FIFO;

		while (!(inb(UART_LSR) & LSR_THRE))
			;
		asm volatile("rep outsb" : "+S"(at), "+c"(n) : "d"(UART) : "memory");
	}
}

#define MSR_FS_BASE 0xc0000100
#define MARK	    UINT64_C(0x00005354454e4349) /* "ICNETS" */

static volatile char found[] = "what the dump has to show";

void payload(void)
{
	uint64_t every = param_number("every", 16), n_lines = param_number("lines", 0);
	uint64_t n_pages = param_number("pages", 0);

	for (uint64_t page = 0; page < n_pages; page++)
		*(volatile uint64_t *)(PAGES + page * PAGE_SIZE) = page + 1;
	wrmsr(MSR_FS_BASE, MARK);
	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	print("operated: %s is at %lx\n", (const char *)found, (uint64_t)found);
	for (uint64_t n = 1; n <= n_lines; n++)
		send_line(n);
	for (uint64_t n = 1;; n++) {
		apic_write(APIC_TIMER_INITIAL, TICKS);
		asm volatile("sti; hlt; cli" : : : "memory");
		if (n % every == 0)
			print("operated: tick %lu\n", n);
	}
}
