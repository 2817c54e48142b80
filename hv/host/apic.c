/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC: sends and ends interrupts, and is the timer. Registers have the same numbers in
 * both modes. The global enable bit is never cleared: some APICs cannot be enabled again. SDM vol.
 * 3, "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "hv/host/apic.h"

#include "hv/frame/phys.h"
#include "hv/host/acpi.h"
#include "hv/host/cpu.h"
#include "hv/host/facts.h"
#include "hv/host/io.h"
#include "hv/host/lint.h"
#include "hv/host/model.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"

/* MSR number less IA32_X2APIC_FIRST, or 1/16 of the offset in memory. */
enum apic_register {
	APIC_ID = 0x02,
	APIC_VERSION = 0x03,
	APIC_TASK_PRIORITY = 0x08,
	APIC_EOI = 0x0b,
	APIC_SPURIOUS = 0x0f,
	APIC_ERROR_STATUS = 0x28,
	APIC_LVT_CMCI = 0x2f,
	APIC_COMMAND = 0x30, /* 64 bits as an MSR */
	APIC_COMMAND_HIGH = 0x31,
	APIC_LVT_TIMER = 0x32,
	APIC_LVT_THERMAL = 0x33,
	APIC_LVT_COUNTERS = 0x34,
	APIC_LVT_LINT0 = 0x35,
	APIC_LVT_LINT1 = 0x36,
	APIC_LVT_ERROR = 0x37,
	APIC_TIMER_INITIAL = 0x38,
	APIC_TIMER_CURRENT = 0x39,
	APIC_TIMER_DIVIDE = 0x3e,
};

enum {
	SPURIOUS_ENABLE = 1 << 8,
	LVT_TSC_DEADLINE = 2 << 17,
	DIVIDE_BY_1 = 0x0b,
	COMMAND_NMI = 4 << 8,
	COMMAND_INIT = 5 << 8,
	COMMAND_SIPI = 6 << 8,
	COMMAND_PENDING = 1 << 12,
	COMMAND_ASSERT = 1 << 14,
	FEATURE_X2APIC = 1 << 21,	/* CPUID leaf 1, ecx */
	FEATURE_TSC_DEADLINE = 1 << 24, /* same */
	FEATURE_HYPERVISOR = 1u << 31,	/* same */
	XAPIC_ID_ALL = 0xff,
	SEND_TRIES = 100000,
	CALIBRATION_US = 1000,
};

enum { PIC_FIRST_DATA = 0x21, PIC_SECOND_DATA = 0xa1 };

enum { IO_APIC_SELECT = 0, IO_APIC_WINDOW = 4, IO_APIC_VERSION = 1, IO_APIC_TABLE = 0x10 };

/* Constant after host_apic_init(). */
static bool is_x2apic;
static bool has_tsc_deadline;
static volatile uint32_t *registers; /* xAPIC only */

/* APIC timer ticks per TSC tick, with 32 fractional bits. Constant after host_apic_calibrate(). */
static uint64_t timer_ratio;

static uint32_t apic_read(enum apic_register reg)
{
	if (is_x2apic)
		return (uint32_t)rdmsr(IA32_X2APIC_FIRST + reg);
	return registers[reg * 4];
}

static void apic_write(enum apic_register reg, uint32_t value)
{
	if (is_x2apic)
		wrmsr(IA32_X2APIC_FIRST + reg, value);
	else
		registers[reg * 4] = value;
}

/* Both 8259s, which also machines without ACPI have. */
static void mask_pics(void)
{
	outb(PIC_FIRST_DATA, 0xff);
	outb(PIC_SECOND_DATA, 0xff);
}

/* Stencil uses no device interrupts; mask those that the firmware has left enabled. */
static enum status mask_io_apic(phys_t base)
{
	volatile uint32_t *io_apic = phys_to_virt(base);

	TRY(paging_map_device(base, PAGE_SIZE, PAGING_UC));
	io_apic[IO_APIC_SELECT] = IO_APIC_VERSION;
	uint32_t last = io_apic[IO_APIC_WINDOW] >> 16 & 0xff;

	for (uint32_t i = 0; i <= last; i++) {
		io_apic[IO_APIC_SELECT] = IO_APIC_TABLE + 2 * i;
		io_apic[IO_APIC_WINDOW] = LVT_MASKED;
	}
	return OK;
}

/* Old microcode of some models loses deadlines. A hypervisor below does not use the real timer. */
static bool deadline_works(const struct cpuid_regs *leaf1)
{
	uint32_t needed = model_deadline_microcode(leaf1->eax);

	if (needed == 0 || leaf1->ecx & FEATURE_HYPERVISOR || facts_read_microcode() >= needed)
		return true;
	/* The timer's other mode does as well. */
	log_info("the TSC-deadline timer is not used: it needs microcode 0x%x", needed);
	return false;
}

/*
 * Some firmware's SMM code uses the memory-mapped registers and says so in the DMAR table. If the
 * firmware has left x2APIC mode on, it stays: it may be locked.
 */
static bool chooses_x2apic(const struct cpuid_regs *leaf1, uint64_t base)
{
	if (!(leaf1->ecx & FEATURE_X2APIC))
		return false;
	if (!acpi.x2apic_opt_out || base & APIC_BASE_X2APIC)
		return true;
	log_info("x2APIC mode stays off, as the firmware's DMAR table asks for");
	return false;
}

/* Set up what all processors share. */
static enum status init_machine(void)
{
	uint64_t base = rdmsr(IA32_APIC_BASE);
	phys_t page = base & BITS(51, 12);
	struct cpuid_regs features;

	cpuid(1, 0, &features);
	is_x2apic = chooses_x2apic(&features, base);
	has_tsc_deadline = features.ecx & FEATURE_TSC_DEADLINE && deadline_works(&features);
	if (!is_x2apic)
		TRY(paging_map_device(page, PAGE_SIZE, PAGING_UC));
	registers = is_x2apic ? NULL : phys_to_virt(page);
	mask_pics();
	for (uint32_t i = 0; i < acpi.n_io_apics; i++)
		TRY(mask_io_apic(acpi.io_apic[i]));
	return OK;
}

static uint32_t read_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return is_x2apic ? id : id >> 24;
}

static void mask_local_sources(void)
{
	uint32_t last_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;

	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, lint_entry(&acpi, read_id(), 0));
	apic_write(APIC_LVT_LINT1, lint_entry(&acpi, read_id(), 1));
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	if (last_lvt >= 4)
		apic_write(APIC_LVT_COUNTERS, LVT_MASKED);
	if (last_lvt >= 5)
		apic_write(APIC_LVT_THERMAL, lint_thermal_entry(apic_read(APIC_LVT_THERMAL)));
	if (last_lvt >= 6)
		apic_write(APIC_LVT_CMCI, LVT_MASKED);
}

static void stop_timer(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, 0);
}

void host_apic_enable(void)
{
	uint64_t base = rdmsr(IA32_APIC_BASE) | APIC_BASE_ENABLE;

	/* Enable first, then x2APIC: setting both bits together is not a legal transition. */
	wrmsr(IA32_APIC_BASE, base);
	if (is_x2apic)
		wrmsr(IA32_APIC_BASE, base | APIC_BASE_X2APIC);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TASK_PRIORITY, 0);
	mask_local_sources();
	stop_timer();
	this_cpu()->apic_id = read_id();
}

enum status host_apic_init(void)
{
	TRY(init_machine());
	host_apic_enable();
	return OK;
}

bool host_apic_reaches(uint32_t apic_id)
{
	return is_x2apic || apic_id < XAPIC_ID_ALL;
}

void host_apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* Wait until the last command has been sent; recent and emulated APICs are never busy. */
static void wait_until_sent(void)
{
	for (unsigned i = 0; i < SEND_TRIES; i++) {
		if (!(registers[APIC_COMMAND * 4] & COMMAND_PENDING))
			return;
		pause();
	}
}

static void send_command(uint32_t apic_id, uint32_t command)
{
	if (is_x2apic) {
		/* WRMSR to the x2APIC does not wait until other processors see earlier stores. */
		asm volatile("mfence; lfence" : : : "memory");
		wrmsr(IA32_X2APIC_FIRST + APIC_COMMAND, (uint64_t)apic_id << 32 | command);
		return;
	}
	wait_until_sent();
	registers[APIC_COMMAND_HIGH * 4] = apic_id << 24;
	registers[APIC_COMMAND * 4] = command;
}

void host_apic_send_wake(uint32_t apic_id)
{
	send_command(apic_id, COMMAND_ASSERT | VECTOR_WAKE);
}

void host_apic_send_init(uint32_t apic_id)
{
	send_command(apic_id, COMMAND_ASSERT | COMMAND_INIT);
}

void host_apic_send_sipi(uint32_t apic_id, phys_t page)
{
	assert(page < MIB(1) && is_aligned(page, PAGE_SIZE));
	send_command(apic_id, COMMAND_ASSERT | COMMAND_SIPI | (uint32_t)(page >> PAGE_SHIFT));
}

void host_apic_send_nmi(uint32_t apic_id)
{
	send_command(apic_id, COMMAND_ASSERT | COMMAND_NMI);
}

enum status host_apic_calibrate(void)
{
	if (has_tsc_deadline)
		return OK;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	uint64_t start = rdtsc();

	tsc_wait_us(CALIBRATION_US);
	uint64_t count = UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
	uint64_t ticks = rdtsc() - start;

	timer_ratio = (count << 32) / ticks;
	stop_timer();
	return timer_ratio ? OK : ERR_NOTFOUND;
}

static void set_one_shot(uint64_t ticks)
{
	uint64_t count;

	if (__builtin_mul_overflow(ticks, timer_ratio, &count))
		count = UINT64_MAX;
	count >>= 32;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, count == 0 ? 1 : (uint32_t)count);
}

void host_apic_timer_set(uint64_t tsc_deadline)
{
	uint64_t now = rdtsc();

	if (!has_tsc_deadline) {
		set_one_shot(tsc_deadline > now ? tsc_deadline - now : 0);
		return;
	}
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_TIMER);
	/* SDM vol. 3, "TSC-Deadline Mode": in xAPIC mode a fence must separate the two. */
	asm volatile("mfence" : : : "memory");
	wrmsr(IA32_TSC_DEADLINE, tsc_deadline == 0 ? 1 : tsc_deadline);
}

bool host_apic_timer_works(void)
{
	return (is_x2apic || registers != NULL) && (has_tsc_deadline || timer_ratio != 0);
}
