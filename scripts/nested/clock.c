/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Let the clock in the CMOS RAM (MC146818) interrupt 64 times a second. Linux' driver acknowledges
 * these interrupts, but cannot be asked for them: it takes another timer for periodic ones.
 */
#include <stdio.h>
#include <sys/io.h>

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };

/* Registers A and B, with what the clock has there besides: its oscillator's rate, 24 hours. */
enum { RATE = 10, RATE_64_HZ = 0x2a, CONTROL = 11, CONTROL_PERIODIC = 0x42 };

static void set(unsigned char index, unsigned char value)
{
	outb(index, CMOS_INDEX);
	outb(value, CMOS_DATA);
}

int main(void)
{
	if (ioperm(CMOS_INDEX, 2, 1) != 0) {
		perror("nested: clock: ioperm");
		return 1;
	}
	set(RATE, RATE_64_HZ);
	set(CONTROL, CONTROL_PERIODIC);
	return 0;
}
