/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches the machine off: through the firmware, then by ACPI registers, then by the ports of
 * emulators. Each way is tried once, also if the previous one ended in a panic.
 */
#include "hv/host/power.h"

#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/stop.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"

enum {
	EFI_RESET_SHUTDOWN = 2,
	SLEEP_TYPE_SHIFT = 10, /* PM1 control register */
	SLEEP_TYPE_MASK = 7 << SLEEP_TYPE_SHIFT,
	SLEEP_ENABLE = 1 << 13,
	SLEEP_CONTROL_SHIFT = 2, /* sleep control register */
	SLEEP_CONTROL_ENABLE = 1 << 5,
	QEMU_Q35_PORT = 0x604,
	QEMU_I440FX_PORT = 0xb004,
	BOCHS_PORT = 0x8900,
	SETTLE_US = 100000,
};

typedef void (*efi_reset_system)(uint32_t type, uint64_t status, size_t size, void *data)
	__attribute__((ms_abi));

/* Constant after power_init(). */
static uint64_t firmware_reset, firmware_cr3;

static unsigned next_way;

void power_init(const struct boot_info *info)
{
	firmware_reset = info->efi_reset_system;
	firmware_cr3 = info->efi_cr3;
}

/* In VMX operation the firmware could not change CR0 and CR4 freely. */
static void leave_vmx(void)
{
	if (this_cpu()->vmxon_region == 0 || !(read_cr4() & CR4_VMXE))
		return;
	this_cpu()->vmxon_region = 0;
	asm volatile("vmxoff" : : : "cc", "memory");
	write_cr4(read_cr4() & ~CR4_VMXE);
}

/* The firmware's page tables map our code, stack and descriptor tables at the same addresses. */
static void off_by_firmware(void)
{
	efi_reset_system reset = (efi_reset_system)firmware_reset;

	if (firmware_reset == 0)
		return;
	leave_vmx();
	write_cr4(read_cr4() & ~(CR4_SMEP | CR4_SMAP));
	write_cr3(firmware_cr3);
	reset(EFI_RESET_SHUTDOWN, 0, 0, NULL);
	write_cr3(paging_root());
}

static void register_write(struct acpi_register reg, uint32_t keep, uint32_t value, unsigned size)
{
	if (reg.space == ACPI_SPACE_IO && size == 1)
		outb((uint16_t)reg.address, (uint8_t)value);
	else if (reg.space == ACPI_SPACE_IO)
		outw((uint16_t)reg.address,
		     (uint16_t)((inw((uint16_t)reg.address) & keep) | value));
}

static void off_by_acpi(void)
{
	uint32_t a = acpi.s5_type_a, b = acpi.s5_type_b, keep = ~(uint32_t)SLEEP_TYPE_MASK;

	if (!acpi.has_s5)
		return;
	register_write(acpi.sleep_control, 0, a << SLEEP_CONTROL_SHIFT | SLEEP_CONTROL_ENABLE, 1);
	register_write(acpi.pm1a_control, keep, a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE, 2);
	register_write(acpi.pm1b_control, keep, b << SLEEP_TYPE_SHIFT | SLEEP_ENABLE, 2);
	tsc_wait_us(SETTLE_US);
}

static void off_by_emulator(void)
{
	static const char word[] = "Shutdown";

	outw(QEMU_Q35_PORT, SLEEP_ENABLE);
	outw(QEMU_I440FX_PORT, SLEEP_ENABLE);
	for (unsigned i = 0; word[i] != '\0'; i++)
		outb(BOCHS_PORT, (uint8_t)word[i]);
}

static _Noreturn void halt(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

void power_wait(void)
{
	console_flush();
	stop_others();
	halt();
}

void power_off(void)
{
	console_flush();
	stop_others();
	if (next_way++ == 0)
		off_by_firmware();
	if (next_way++ <= 1)
		off_by_acpi();
	if (next_way++ <= 2)
		off_by_emulator();
	console_print("cannot switch the machine off: use its power button");
	halt();
}
