/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests a reset once, how=cf9|kbd|port92|acpi|triple, and passes when it runs again. It
 * recognizes the second run by a mark that a reset keeps: store=cmos (a byte of the RTC's
 * RAM) or ram. A module, if there is one, is as it was: one letter, then zeros.
 */
#include "tests/guest/lib/lib.h"

#define CMOS_INDEX  0x70
#define CMOS_DATA   0x71
#define CMOS_BYTE   0x6e
#define RAM_MARK    ((volatile uint64_t *)UINT64_C(0xffe000))
#define MARK	    0xa7u
#define TPR_BEFORE  0x50
#define TIMER_COUNT 0xf0000000u

static uint8_t mark_read(bool in_ram)
{
	if (in_ram)
		return (uint8_t)*RAM_MARK;
	outb(CMOS_BYTE, CMOS_INDEX);
	return inb(CMOS_DATA);
}

static void mark_write(bool in_ram, uint8_t value)
{
	if (in_ram) {
		*RAM_MARK = value;
		return;
	}
	outb(CMOS_BYTE, CMOS_INDEX);
	outb(value, CMOS_DATA);
}

static void reset_by_acpi(void)
{
	struct acpi_fadt fadt;

	if (acpi_read_fadt(&fadt) && fadt.reset.address != 0)
		acpi_write(&fadt.reset, fadt.reset_value);
	else
		report(false, "reset: no ACPI reset register");
}

static void fault_three_times(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) empty;

	asm volatile("lidt %0; int3" : : "m"(empty));
}

static void ask_for_reset(void)
{
	if (param_is("how", "kbd"))
		outb(0xfe, 0x64);
	else if (param_is("how", "port92"))
		outb(inb(0x92) | 1, 0x92);
	else if (param_is("how", "acpi"))
		reset_by_acpi();
	else if (param_is("how", "triple"))
		fault_three_times();
	else
		outb(0x06, 0xcf9);
}

static bool has_tsc_adjust(void)
{
	return cpuid(7, 0).ebx >> 1 & 1;
}

static void check_module(const struct multiboot_module *module)
{
	uint64_t sum = 0;

	for (uint64_t at = module->start; at < module->end; at++)
		sum += *(volatile uint8_t *)at;
	report(sum == 'm', "reset: module of %u bytes, sum %lu", module->end - module->start, sum);
	for (uint64_t at = module->start; at < module->end; at++)
		*(volatile uint8_t *)at = 0xcc;
}

void payload(void)
{
	const struct multiboot_info *info = multiboot();
	bool in_ram = param_is("store", "ram");

	if (info != NULL && info->flags & MB_MODULES && info->mods_count > 0)
		check_module((const struct multiboot_module *)(uintptr_t)info->mods_addr);

	if (mark_read(in_ram) == MARK) {
		mark_write(in_ram, 0);
		report(true, "reset: runs again");
		report(apic_read(APIC_TPR) == 0, "reset: TPR %#x", apic_read(APIC_TPR));
		report(apic_read(APIC_TIMER_CURRENT) == 0, "reset: timer stopped");
		report(!has_tsc_adjust() || rdmsr(MSR_TSC_ADJUST) == 0, "reset: TSC as at first");
		return;
	}
	mark_write(in_ram, MARK);
	report(mark_read(in_ram) == MARK, "reset: mark kept");
	apic_enable();
	apic_write(APIC_TPR, TPR_BEFORE);
	apic_write(APIC_TIMER_INITIAL, TIMER_COUNT);
	if (has_tsc_adjust())
		wrmsr(MSR_TSC_ADJUST, MARK);
	print("reset follows\n");
	ask_for_reset();
	for (uint64_t start = rdtsc(); rdtsc() - start < WAIT_TICKS;)
		cpu_pause();
	report(false, "reset: the VM continues");
}
