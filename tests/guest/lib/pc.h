/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The PC's interrupt controllers, timer and clock: "8259A", "8254" and "MC146818" data sheets. */
#include "tests/guest/lib/lib.h"

enum { PIC_1 = 0x20, PIC_2 = 0xa0, PIT_0 = 0x40, PIT_2 = 0x42, PIT_CONTROL = 0x43, PORT_B = 0x61 };
enum { EOI = 0x20, READ_IRR = 0x0a, READ_ISR = 0x0b };

#define PIT_HZ 1193182

/* Both controllers: lines 0 to 15 are vectors from 'first' on, and masked. */
static inline void program_pic(uint8_t first)
{
	const uint8_t words[2][3] = {{first, 4, 1}, {(uint8_t)(first + 8), 2, 1}};

	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = i ? PIC_2 : PIC_1;

		outb(0x11, port);
		for (unsigned k = 0; k < 3; k++)
			outb(words[i][k], port + 1);
		outb(0xff, port + 1);
	}
}

static inline void program_channel(unsigned channel, unsigned mode, unsigned count)
{
	outb((uint8_t)(channel << 6 | 0x30 | mode << 1), PIT_CONTROL);
	outb((uint8_t)count, (uint16_t)(PIT_0 + channel));
	outb((uint8_t)(count >> 8), (uint16_t)(PIT_0 + channel));
}

/* What channel 0 counts at this moment. */
static inline unsigned latch_count(void)
{
	unsigned count;

	outb(0, PIT_CONTROL);
	count = inb(PIT_0);
	return count | (unsigned)inb(PIT_0) << 8;
}

static inline uint8_t cmos_read(uint8_t reg)
{
	outb(reg, 0x70);
	return inb(0x71);
}

/* Cycles of the TSC in n ticks of the PIT, as CPUID tells; 0: it does not. */
static inline uint64_t cycles(uint64_t n)
{
	struct cpuid crystal;

	if (cpuid(0, 0).eax < 0x15)
		return 0;
	crystal = cpuid(0x15, 0);
	return crystal.eax ? (uint64_t)crystal.ecx * crystal.ebx / crystal.eax * n / PIT_HZ : 0;
}
