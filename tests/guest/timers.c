/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses HPET and PM timer, where the ACPI tables say that they are.
 *	watchdog	let the watchdog end; after the reset, its status tells
 *	freeze	become a template while the HPET runs; each clone checks it, and reverts once
 */
#include "tests/guest/lib/lib.h"

enum { CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };
enum { ENABLE = 1, LEGACY = 2 };
#define TIMER(n)      (0x100 + 0x20 * (n))
#define COMPARATOR(n) (TIMER(n) + 8)
enum { T_LEVEL = 2, T_ENABLE = 4, T_PERIODIC = 8, T_SETS_VALUE = 0x40, T_32_BITS = 0x100 };

#define HPET_ADDRESS  44  /* in the HPET's table */
#define FADT_PM_TIMER 76  /* in the FADT */
#define FADT_FLAGS    112 /* bit 8: 32 bits */
#define VECTOR_TIMER  0x60
#define VECTOR_CLOCK  0x68
#define REDIR_LEVEL   BIT(15)
#define MILLISECOND   100000 /* of ticks of 10 ns */
#define PM_HZ	      3579545
#define WDAT_ENTRIES  68 /* in the WDAT, where each entry has 24 bytes: */
#define WDAT_ADDRESS  8
#define WDAT_VALUE    16
#define CONTROL	      0x5354
#define CONTROL_N     (CONTROL + 12)
#define FREEZE	      1
#define REVERT	      2

static uint64_t hpet; /* its address */

static uint64_t get(unsigned off)
{
	return *(volatile uint64_t *)(hpet + off);
}

static void put(unsigned off, uint64_t value)
{
	*(volatile uint64_t *)(hpet + off) = value;
}

static uint32_t get_half(unsigned off)
{
	return *(volatile uint32_t *)(hpet + off);
}

static bool find_hpet(void)
{
	const uint8_t *table = acpi_find("HPET");

	if (!report(table != NULL, "an HPET"))
		return false;
	for (unsigned i = 8; i-- > 0;)
		hpet = hpet << 8 | table[HPET_ADDRESS + i];
	report(get_half(4) == 10000000, "a tick of 10 ns: %u", get_half(4));
	report((get_half(0) & 0xffffffff) == 0x8086a201, "its number: %#x", get_half(0));
	return true;
}

static void check_counter(void)
{
	uint64_t before;

	put(CONFIG, 0);
	put(COUNTER, UINT64_C(0x1fffffff0));
	report(get(COUNTER) == 0x1fffffff0, "a counter that stands");
	put(CONFIG, ENABLE);
	for (uint64_t start = rdtsc(); get(COUNTER) < BIT(33) && rdtsc() - start < WAIT_TICKS;)
		cpu_pause();
	report(get(COUNTER) >= BIT(33), "it counts with 64 bits");
	before = get_half(COUNTER);
	report(get_half(COUNTER + 4) == 2 && get_half(COUNTER) >= before, "also in halves");
}

static void put_half(unsigned off, uint32_t value)
{
	*(volatile uint32_t *)(hpet + off) = value;
}

/* Once a millisecond. As Linux does it: QEMU keeps the high half of a comparator. */
static void start_ticks(unsigned n, unsigned config)
{
	put_half(TIMER(n), config | T_ENABLE | T_PERIODIC | T_SETS_VALUE | T_32_BITS);
	put_half(COMPARATOR(n), get_half(COUNTER) + MILLISECOND);
	put_half(COMPARATOR(n), MILLISECOND);
}

static void check_ticks(void)
{
	uint64_t start, passed;

	put(CONFIG, ENABLE | LEGACY);
	irq_count_on(VECTOR_TIMER);
	ioapic_route(2, VECTOR_TIMER, false);
	start = get(COUNTER);
	start_ticks(0, 0);
	report(irq_wait(VECTOR_TIMER, 10), "%u ticks", irq_count[VECTOR_TIMER]);
	passed = get(COUNTER) - start;
	/* The PIT's last interrupt may have come in as one of the ten. */
	report(passed >= 9 * MILLISECOND, "10 ms take %lu ticks", passed);
	put(TIMER(0), 0);
	put(CONFIG, ENABLE);
}

static volatile uint32_t levels;

static bool take_level(struct trap_frame *f)
{
	(void)f;
	if (get(STATUS) == 2)
		levels++;
	put(STATUS, 2);
	apic_write(APIC_EOI, 0);
	return true;
}

/* A level-triggered interrupt that comes again as often as it is taken back. */
static void check_levels(void)
{
	uint64_t start = rdtsc();

	trap_hook(VECTOR_CLOCK, take_level);
	ioapic_route(8, VECTOR_CLOCK, true);
	ioapic_write(0x20, (uint32_t)(VECTOR_CLOCK | REDIR_LEVEL));
	start_ticks(1, T_LEVEL | 8 << 9);
	while (levels < 3 && rdtsc() - start < WAIT_TICKS)
		sti_nop_cli();
	put(TIMER(1), 0);
	ioapic_write(0x20, 0x10000);
	report(levels >= 3, "%u levels", levels);
	report(get(STATUS) == 0, "none is left");
}

/* Ticks of the PM timer in so many of the HPET; another VM's turn may come in between. */
static uint32_t pm_ticks(uint16_t port, uint32_t mask, uint64_t ticks, uint64_t *ret_ticks)
{
	uint64_t start = get(COUNTER);
	uint32_t first = inl(port);

	while (get(COUNTER) - start < ticks)
		cpu_pause();
	*ret_ticks = get(COUNTER) - start;
	return (inl(port) - first) & mask;
}

static void check_pm_timer(void)
{
	const uint8_t *fadt = acpi_find("FACP");
	uint16_t port = fadt ? (uint16_t)(fadt[FADT_PM_TIMER] | fadt[FADT_PM_TIMER + 1] << 8) : 0;
	uint32_t mask, n = 0;
	bool agrees = false;
	uint64_t ticks = 0;

	if (!report(port != 0, "a PM timer"))
		return;
	mask = fadt[FADT_FLAGS + 1] & 1 ? UINT32_MAX : 0xffffff;
	report((inl(port) & ~mask) == 0, "it has its bits");
	for (unsigned i = 0; i < 20 && !agrees; i++) {
		uint64_t expected;

		n = pm_ticks(port, mask, 10 * MILLISECOND, &ticks);
		expected = ticks * PM_HZ / 100000000;
		agrees = n > expected - expected / 50 && n < expected + expected / 50;
	}
	report(agrees, "%u ticks of the PM timer in %lu of the HPET", n, ticks);
}

/* The register and the value of an action; NULL: the table does not have it. */
static const uint8_t *find_action(uint8_t action)
{
	const uint8_t *wdat = acpi_find("WDAT");

	for (unsigned i = 0; wdat != NULL && i < wdat[WDAT_ENTRIES - 4]; i++)
		if (wdat[WDAT_ENTRIES + 24 * i] == action)
			return wdat + WDAT_ENTRIES + 24 * i;
	return NULL;
}

static uint16_t port_of(const uint8_t *entry)
{
	return (uint16_t)(entry[WDAT_ADDRESS] | entry[WDAT_ADDRESS + 1] << 8);
}

static void check_watchdog(void)
{
	const uint8_t *count = find_action(6), *run = find_action(9), *status = find_action(32);

	if (!report(count && run && status, "a watchdog"))
		return;
	if (inl(port_of(status)) == status[WDAT_VALUE]) {
		report(true, "the watchdog has reset the machine");
		return;
	}
	outl(10, port_of(count));
	outl(run[WDAT_VALUE], port_of(run));
	print("the guest hangs\n");
	for (uint64_t start = rdtsc(); rdtsc() - start < WAIT_TICKS;)
		cpu_pause();
	report(false, "the watchdog resets the machine");
}

/* Run twice by each clone, whose timer continues. */
static void check_clone(void)
{
	uint32_t number, n_reverts;

	irq_count_on(VECTOR_TIMER);
	put(CONFIG, ENABLE | LEGACY);
	start_ticks(0, 0);
	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	n_reverts = inl(CONTROL_N);
	if (!irq_wait(VECTOR_TIMER, 3) || number == UINT32_MAX)
		report(false, "clone %u has ticks", number);
	else if (n_reverts == 0)
		outl(REVERT, CONTROL);
	else
		report(true, "clone %u has ticks after a revert", number);
}

void payload(void)
{
	apic_enable();
	if (param_given("watchdog")) {
		check_watchdog();
		return;
	}
	if (!find_hpet())
		return;
	check_counter();
	check_ticks();
	check_levels();
	check_pm_timer();
	if (param_given("freeze"))
		check_clone();
}
