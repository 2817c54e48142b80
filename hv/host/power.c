/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends the machine: keeps the screen, switches off, resets. Each way of hv/host/power_order.c is
 * tried once. A way that faults is left by the exception's handler. Firmware that does not return
 * is left by the timer's interrupt, or if it disables interrupts, by an NMI of another processor.
 * What hangs in system management mode cannot be left.
 */
#include "hv/host/power.h"

#include "hv/host/acpi.h"
#include "hv/host/acpi_register.h"
#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/log.h"
#include "hv/host/machine_check.h"
#include "hv/host/msr.h"
#include "hv/host/nmi.h"
#include "hv/host/paging.h"
#include "hv/host/power_button.h"
#include "hv/host/stop.h"
#include "hv/host/tsc.h"
#include "hv/host/watchdog.h"
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
	PCI_ADDRESS = 0xcf8,
	PCI_DATA = 0xcfc,
	CHIPSET_PORT = 0xcf9,
	CHIPSET_RESET_HARD = 1 << 1, /* of the whole machine, not of a processor */
	CHIPSET_RESET_NOW = 1 << 2,
	KEYBOARD_PORT = 0x64,
	KEYBOARD_BUSY = 1 << 1,
	KEYBOARD_PULSE_RESET = 0xfe,
	KEYBOARD_READS = 100000,
	SETTLE_US = 100000,
	FIRMWARE_SECONDS = 5,
	HOLD_SECONDS = 60,
	BUTTON_POLL_MS = 100,
};

/* For waits before the TSC has been measured: at most, on the fastest processors. */
#define TSC_HZ_UNKNOWN UINT64_C(5000000000)

#define CPUID_1_ECX_HYPERVISOR BIT(31)

typedef void (*efi_reset_system)(uint32_t type, uint64_t status, size_t size, void *data)
	__attribute__((ms_abi));

/* Constant after power_init(). */
static uint64_t firmware_reset, firmware_cr3;
static struct power_facts facts;

/* Where the ways have got to. Only the processor that ends the machine uses it. */
static struct {
	bool has_begun;
	enum power_goal goal;
	unsigned n; /* of the next way */
	enum power_way way;
	struct cpu *cpu;   /* which tries the way; NULL: none */
	uint64_t deadline; /* TSC; 0: the way is not the firmware's */
} attempt;

void power_init(const struct boot_info *info)
{
	struct cpuid_regs features;

	cpuid(1, 0, &features);
	firmware_reset = info->efi_reset_system;
	firmware_cr3 = info->efi_cr3;
	facts = (struct power_facts){
		.pm1 = acpi.has_s5 && acpi_register_map(acpi.pm1a_control) &&
		       (acpi.pm1b_control.space == ACPI_SPACE_NONE ||
			acpi_register_map(acpi.pm1b_control)),
		.sleep_control = acpi.has_s5 && acpi_register_map(acpi.sleep_control),
		.firmware = firmware_reset != 0,
		.reset_register = acpi_register_map(acpi.reset),
		.emulator = features.ecx & CPUID_1_ECX_HYPERVISOR,
	};
}

static void pm1_sleep(struct acpi_register reg, unsigned type)
{
	uint32_t value = acpi_register_read(reg, 2) & ~(uint32_t)SLEEP_TYPE_MASK;

	acpi_register_write(reg, 2, value | type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
}

static void off_by_pm1(void)
{
	pm1_sleep(acpi.pm1a_control, acpi.s5_type_a);
	pm1_sleep(acpi.pm1b_control, acpi.s5_type_b);
}

static void off_by_sleep_control(void)
{
	acpi_register_write(
		acpi.sleep_control, 1,
		(uint8_t)(acpi.s5_type_a << SLEEP_CONTROL_SHIFT | SLEEP_CONTROL_ENABLE));
}

/* The firmware's page tables map our code, stack and descriptor tables at the same addresses. */
static void off_by_firmware(void)
{
	efi_reset_system reset = (efi_reset_system)firmware_reset;
	uint64_t cr4 = read_cr4();

	attempt.deadline = rdtsc() + (tsc_hz ? tsc_hz : TSC_HZ_UNKNOWN) * FIRMWARE_SECONDS;
	stop_watch(attempt.deadline);
	if (host_apic_timer_works()) {
		host_apic_timer_set(attempt.deadline);
		sti();
	}
	write_cr4(cr4 & ~(CR4_SMEP | CR4_SMAP));
	write_cr3(firmware_cr3);
	reset(EFI_RESET_SHUTDOWN, 0, 0, NULL);
	cli();
	write_cr3(paging_root());
	write_cr4(cr4);
	attempt.deadline = 0;
}

static void off_by_emulator(void)
{
	static const char word[] = "Shutdown";

	outw(QEMU_Q35_PORT, SLEEP_ENABLE);
	outw(QEMU_I440FX_PORT, SLEEP_ENABLE);
	for (unsigned i = 0; word[i] != '\0'; i++)
		outb(BOCHS_PORT, (uint8_t)word[i]);
}

/*
 * Bochs 2.7 has a PIIX4 that keeps the enable bit of its power management registers over a reset,
 * and forgets their address. OVMF then waits for ever for a timer at no address. The datasheet
 * (Intel 82371AB, "PMREGMISC") clears the bit at a reset.
 */
static void disable_piix4_registers(void)
{
	enum { FUNCTION = 0x80000b00, REGION_ENABLE = 0x80, PIIX4_PM = 0x71138086 };

	outl(PCI_ADDRESS, FUNCTION);
	if (inl(PCI_DATA) != PIIX4_PM)
		return;
	outl(PCI_ADDRESS, FUNCTION | REGION_ENABLE);
	outl(PCI_DATA, inl(PCI_DATA) & ~UINT32_C(1));
}

static void reset_by_register(void)
{
	acpi_register_write(acpi.reset, 1, acpi.reset_value);
}

/* The second write with a rising edge of the last bit does it. */
static void reset_by_chipset(void)
{
	outb(CHIPSET_PORT, CHIPSET_RESET_HARD);
	tsc_wait_us(1);
	outb(CHIPSET_PORT, CHIPSET_RESET_HARD | CHIPSET_RESET_NOW);
}

static void reset_by_keyboard(void)
{
	for (unsigned i = 0; i < KEYBOARD_READS && inb(KEYBOARD_PORT) & KEYBOARD_BUSY; i++)
		pause();
	outb(KEYBOARD_PORT, KEYBOARD_PULSE_RESET);
}

static void reset_by_triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	asm volatile("lidt %0\n\tint3" : : "m"(none));
}

static _Noreturn void halt(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

static _Noreturn void try_ways(void)
{
	static void (*const ways[])(void) = {
		[POWER_BY_PM1] = off_by_pm1,
		[POWER_BY_SLEEP_CONTROL] = off_by_sleep_control,
		[POWER_BY_FIRMWARE] = off_by_firmware,
		[POWER_BY_EMULATOR] = off_by_emulator,
		[POWER_BY_RESET_REGISTER] = reset_by_register,
		[POWER_BY_CHIPSET] = reset_by_chipset,
		[POWER_BY_KEYBOARD] = reset_by_keyboard,
		[POWER_BY_TRIPLE_FAULT] = reset_by_triple_fault,
	};

	attempt.cpu = this_cpu();
	if (attempt.goal == POWER_RESET)
		disable_piix4_registers();
	while ((attempt.way = power_way(attempt.goal, &facts, attempt.n++)) != POWER_NO_WAY) {
		ways[attempt.way]();
		tsc_wait_us(SETTLE_US);
	}
	attempt.cpu = NULL;
	console_print("cannot %s the machine: use its power button",
		      attempt.goal == POWER_OFF ? "switch off" : "reset");
	halt();
}

bool power_is_trying(void)
{
	return attempt.cpu == this_cpu();
}

void power_go_on(const char *reason)
{
	cli();
	if (attempt.deadline != 0)
		write_cr3(paging_root());
	attempt.deadline = 0;
	stop_watch(0);
	log_warning("%s did not %s the machine: %s", power_way_name(attempt.way),
		    attempt.goal == POWER_OFF ? "switch off" : "reset", reason);
	try_ways();
}

void power_watch_firmware(const char *reason)
{
	if (!power_is_trying() || attempt.deadline == 0)
		return;
	if (rdtsc() >= attempt.deadline)
		power_go_on(reason);
	/* Without TSC-deadline mode the timer counts some seconds at most. */
	if (host_apic_timer_works())
		host_apic_timer_set(attempt.deadline);
}

/* Wait for a key, the power button, or the time. What was typed before does not count. */
static void hold(enum power_goal goal)
{
	uint64_t second = tsc_hz ? tsc_hz : TSC_HZ_UNKNOWN, start, next_poll = 0;

	while (console_read() >= 0)
		pause();
	console_print("press a key to %s the machine; without a key this happens in %u seconds",
		      goal == POWER_OFF ? "switch off" : "reset", HOLD_SECONDS);
	start = rdtsc();
	for (uint64_t now = start; now - start < HOLD_SECONDS * second && console_read() < 0;
	     now = rdtsc()) {
		if (power_button_is_pressed())
			return;
		nmi_report();
		watchdog_feed();
		if (now >= next_poll) {
			machine_check_poll();
			next_poll = now + second;
		}
		pause();
	}
}

static void wait_for_button(void)
{
	while (!power_button_is_pressed()) {
		if (!host_apic_timer_works())
			halt();
		host_apic_timer_set(rdtsc() + tsc_hz / 1000 * BUTTON_POLL_MS);
		cpu_wait();
	}
}

void power_print_end(const char *words)
{
	static bool printed;

	/* At any log level: scripts/run waits for this line. */
	if (!__atomic_exchange_n(&printed, true, __ATOMIC_RELAXED))
		console_print("end: %s", words);
}

void power_end(struct power_plan plan)
{
	console_flush();
	stop_others();
	watchdog_feed();
	if (!attempt.has_begun) {
		attempt.has_begun = true;
		attempt.goal = plan.goal;
		if (plan.hold)
			hold(plan.goal);
	}
	cpu_leave_vmx();
	if (power_button_is_pressed())
		attempt.goal = POWER_OFF;
	/* It would start a machine again that has to stay as it is. It ends a reset that hangs. */
	if (attempt.goal != POWER_RESET)
		watchdog_stop();
	if (attempt.goal == POWER_STAY) {
		wait_for_button();
		attempt.goal = POWER_OFF;
	}
	try_ways();
}
