/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs the PC's interrupt controller and timer as old kernels do.
 *	no-clock	the VM has no clock
 *	freeze	become a template while the timer runs; each clone checks it, and reverts once
 */
#include "tests/guest/lib/pc.h"

#define VECTOR_TIMER 0x20
#define VECTOR_CLOCK 0x28
#define VECTOR_APIC  0x60
#define PERIOD	     1193 /* ticks of the PIT: a millisecond */
#define N_TICKS	     20
#define MADT_ENTRIES 44
#define CONTROL	     0x5354
#define CONTROL_N    (CONTROL + 12)
#define FREEZE	     1
#define REVERT	     2

static volatile uint32_t ticks;

static bool take_tick(struct trap_frame *f)
{
	(void)f;
	ticks++;
	outb(EOI, PIC_1);
	return true;
}

static void cmos_write(uint8_t reg, uint8_t value)
{
	outb(reg, 0x70);
	outb(value, 0x71);
}

static volatile uint32_t clock_ticks;

static bool take_clock(struct trap_frame *f)
{
	(void)f;
	if (cmos_read(0x0c) & 0x40)
		clock_ticks++;
	outb(EOI, PIC_2);
	outb(EOI, PIC_1);
	return true;
}

static bool wait_for_ticks(uint32_t n)
{
	uint64_t start = rdtsc();

	while (ticks < n && rdtsc() - start < WAIT_TICKS)
		sti_hlt_cli();
	return ticks >= n;
}

static void check_madt(void)
{
	const uint8_t *madt = acpi_find("APIC"), *at, *end;
	bool is_overridden = false;

	if (!report(madt != NULL, "a MADT"))
		return;
	end = madt + (madt[4] | madt[5] << 8);
	for (at = madt + MADT_ENTRIES; at + 2 <= end && at[1] >= 2; at += at[1])
		is_overridden |= at[0] == 2 && at[2] == 0 && at[3] == 0 && at[4] == 2;
	report(madt[40] & 1, "the MADT has a PIC");
	report(is_overridden, "line 2 is the timer's");
}

static void check_ticks(void)
{
	uint64_t start = rdtsc(), passed;
	bool came;

	program_channel(0, 2, PERIOD);
	outb(0xfe, PIC_1 + 1);
	came = wait_for_ticks(N_TICKS);
	passed = rdtsc() - start;
	report(came && passed >= cycles(PERIOD * (N_TICKS - 1)), "%u ticks in %lu cycles", ticks,
	       passed);
}

static void check_mask(void)
{
	uint32_t before;

	outb(0xff, PIC_1 + 1);
	program_channel(0, 0, PERIOD);
	before = ticks;
	outb(READ_IRR, PIC_1);
	while (!(inb(PIC_1) & 1))
		cpu_pause();
	sti_nop_cli();
	report(ticks == before, "a masked tick waits");
	outb(0xfe, PIC_1 + 1);
	sti_nop_cli();
	report(ticks == before + 1, "and comes when the mask goes");
	outb(READ_ISR, PIC_1);
	report(inb(PIC_1) == 0, "nothing is in service");
}

/* The old way to find out how fast a processor is. */
static void check_channel_2(void)
{
	uint64_t start, passed;
	uint8_t status;

	outb(0, PORT_B);
	program_channel(2, 0, 10 * PERIOD);
	report(!(inb(PORT_B) & 0x20), "channel 2 waits for its gate");
	start = rdtsc(); /* before: another VM's turn may come in between */
	outb(1, PORT_B);
	while (!(inb(PORT_B) & 0x20))
		cpu_pause();
	passed = rdtsc() - start;
	report(passed + cycles(PERIOD) >= cycles(10 * PERIOD), "channel 2: 10 ms in %lu cycles",
	       passed);
	outb(0xe8, PIT_CONTROL); /* read back the status */
	status = inb(PIT_2);
	report(status == 0xb0, "status %#x", status);
	for (uint8_t old = inb(PORT_B) & 0x10; (inb(PORT_B) & 0x10) == old;)
		cpu_pause();
	report(true, "memory is refreshed");
}

static void check_count(void)
{
	unsigned first, second;

	program_channel(0, 2, 0);
	first = latch_count();
	do
		second = latch_count();
	while (second == first);
	report(second < first || first == 0, "the count goes down: %#x, %#x", first, second);
}

/* 1024 periodic interrupts a second, on line 8. */
static void check_clock(void)
{
	uint64_t start;

	outb(0xfb, PIC_1 + 1);
	outb(0xfe, PIC_2 + 1);
	cmos_write(0x0a, 0x26);
	cmos_write(0x0b, 0x42);
	(void)cmos_read(0x0c);
	start = rdtsc();
	while (clock_ticks < 5 && rdtsc() - start < WAIT_TICKS)
		sti_hlt_cli();
	cmos_write(0x0b, 0x02);
	report(clock_ticks >= 5, "the clock ticks on line 8: %u", clock_ticks);
	report((cmos_read(0x15) | cmos_read(0x16) << 8) == 640, "640 KiB of base memory");
}

static void check_no_clock(void)
{
	const uint8_t *fadt = acpi_find("FACP");

	report(cmos_read(0x0d) == 0xff, "there is no clock");
	report(fadt != NULL && fadt[109] & 0x20 && fadt[108] == 0, "the FADT says so");
}

static void check_io_apic(void)
{
	outb(0xff, PIC_1 + 1);
	apic_enable();
	irq_count_on(VECTOR_APIC);
	ioapic_write(0x14, VECTOR_APIC);
	program_channel(0, 3, PERIOD);
	report(irq_wait(VECTOR_APIC, 3), "the I/O APIC has the ticks, too");
	ioapic_write(0x14, 0x10000);
}

/* Run twice by each clone, whose timer continues. */
static void check_clone(void)
{
	uint32_t number, n_reverts, before;

	program_channel(0, 2, PERIOD);
	outb(0xfe, PIC_1 + 1);
	wait_for_ticks(ticks + 2);
	before = ticks;
	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	n_reverts = inl(CONTROL_N);
	if (!wait_for_ticks(before + 3) || number == UINT32_MAX)
		report(false, "clone %u has ticks", number);
	else if (n_reverts == 0)
		outl(REVERT, CONTROL);
	else
		report(true, "clone %u has ticks after a revert", number);
}

void payload(void)
{
	trap_hook(VECTOR_TIMER, take_tick);
	trap_hook(VECTOR_CLOCK, take_clock);
	check_madt();
	program_pic(VECTOR_TIMER);
	check_ticks();
	check_mask();
	check_channel_2();
	check_count();
	if (param_given("no-clock"))
		check_no_clock();
	else
		check_clock();
	if (param_given("freeze"))
		check_clone();
	else
		check_io_apic();
}
