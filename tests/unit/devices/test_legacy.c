/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC's old interrupt controller and timers in their machine. */
#include "hv/devices/legacy.h"

#include <string.h>

#include "hv/devices/lapic_regs.h"
#include "hv/devices/platform.h"
#include "hv/devices/tick.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

/* A TSC of which three cycles are a tick of the PIT. */
#define HZ    (UINT64_C(3) * PIT_HZ)
#define AT(t) (UINT64_C(3) * (t))
#define NEVER UINT64_MAX

static union platform_room room, copy;
static struct platform_wiring wiring;
static struct platform *const vm = &room.platform;
static struct irqchip *const chip = &room.platform.irqchip;
static uint64_t now;

static void begin_with(struct legacy_parts parts)
{
	struct platform_config config = {.topology = sockets(2),
					 .phys_bits = 40,
					 .tsc_hz = HZ,
					 .extras = {.has_legacy = parts.pic || parts.pit ||
								  parts.hpet || parts.pm_timer ||
								  parts.watchdog},
					 .legacy = parts};

	memset(&room, 0xa5, sizeof(room));
	now = 1000;
	assert_int_equal(platform_init(vm, &wiring, &config), OK);
}

static void begin(bool has_pic, bool has_pit)
{
	begin_with((struct legacy_parts){.pic = has_pic, .pit = has_pit});
}

static uint8_t in(uint16_t port)
{
	struct io_access access = {.addr = port, .size = 1, .now = now};

	return (uint8_t)platform_port_read(vm, &access);
}

static void out(uint16_t port, uint8_t value)
{
	struct io_access access = {.addr = port, .size = 1, .value = value, .now = now};

	assert_int_equal(platform_port_write(vm, &access), 0);
}

static void ioapic_set(uint32_t reg, uint32_t value)
{
	struct io_access select = {.addr = IOAPIC_BASE, .size = 4, .value = reg};
	struct io_access window = {.addr = IOAPIC_BASE + 0x10, .size = 4, .value = value};

	platform_mmio_write(vm, 0, &select);
	platform_mmio_write(vm, 0, &window);
}

static void lapic_set(unsigned cpu, unsigned off, uint32_t value)
{
	page_write(chip, &chip->lapic[cpu],
		   (struct io_access){.off = off, .size = 4, .value = value});
}

/* Vectors 0x20 and 0x28; 'mask' for the first chip, nothing masked in the second one. */
static void program_pic(uint8_t mask)
{
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 4);
	out(0x21, 1);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 2);
	out(0xa1, 1);
	out(0x21, mask);
	out(0xa1, 0);
}

static void program_timer(uint8_t mode, unsigned count)
{
	out(0x43, (uint8_t)(0x30 | mode << 1));
	out(0x40, (uint8_t)count);
	out(0x40, (uint8_t)(count >> 8));
}

static void pass(uint64_t ticks)
{
	now += AT(ticks);
	platform_update_timers(vm, &chip->lapic[0], now);
}

static uint64_t deadline(void)
{
	return irqchip_next_deadline(&chip->lapic[0]);
}

static void expect(unsigned cpu, uint8_t vector)
{
	assert_true(lapic_pending_vector(&chip->lapic[cpu]) >= 0);
	assert_int_equal(irqchip_accept(chip, &chip->lapic[cpu]), vector);
}

static void expect_none(unsigned cpu)
{
	assert_int_equal(lapic_pending_vector(&chip->lapic[cpu]), -1);
}

static void end_interrupt(void)
{
	out(0x20, 0x20);
}

static void a_vm_has_what_it_is_given(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		bool has_pic = i & 1, has_pit = i & 2;

		begin(has_pic, has_pit);
		out(0x21, 0x5b);
		assert_int_equal(in(0x21), has_pic ? 0x5b : 0xff);
		assert_int_equal(in(0xa1), 0xff);
		assert_int_equal(in(0x4d1), has_pic ? 0 : 0xff);
		assert_int_equal(in(0x43), 0xff);
		out(0x43, 0xe2);
		assert_int_equal(in(0x40), has_pit ? 0xb6 : 0xff);
		assert_int_equal(chip->has_legacy, i != 0);
		assert_int_equal(deadline(), NEVER);
	}
}

static void a_tick_is_an_interrupt_of_the_pic(void **state)
{
	begin(true, true);
	program_pic(0xff);
	program_timer(2, 1000);
	take_kicks(chip);
	pass(1);
	assert_int_equal(deadline(), NEVER);
	out(0x21, 0xfa);
	assert_int_equal(take_kicks(chip), 1);
	assert_int_equal(deadline(), now + AT(999));
	pass(999);
	assert_int_equal(take_kicks(chip), 1);
	/* It merges with the next one until the guest takes it. */
	assert_int_equal(deadline(), NEVER);
	pass(1000);
	expect(0, 0x20);
	expect_none(0);
	expect_none(1);
	platform_update_timers(vm, &chip->lapic[0], now);
	assert_int_equal(deadline(), now + AT(1000));
	pass(1000);
	expect_none(0);
	end_interrupt();
	expect(0, 0x20);
}

static void a_mask_holds_a_tick_back(void **state)
{
	begin(true, true);
	program_pic(0xff);
	program_timer(0, 1000);
	now += AT(2000);
	out(0x21, 0xfe);
	expect(0, 0x20);
	end_interrupt();
	pass(100000);
	expect_none(0);
	assert_int_equal(deadline(), NEVER);
}

static void a_tick_reaches_the_io_apic(void **state)
{
	begin(false, true);
	lapic_set(1, 0xf0, 0x1ff);
	ioapic_set(0x15, 1 << 24);
	ioapic_set(0x14, 0x45);
	program_timer(3, 1000);
	assert_int_equal(deadline(), now + AT(1000));
	for (unsigned i = 0; i < 3; i++) {
		pass(1000);
		expect(1, 0x45);
		lapic_eoi(&chip->lapic[1]);
	}
	/* Only vCPU 0 looks after the timer. */
	assert_int_equal(irqchip_next_deadline(&chip->lapic[1]), NEVER);
	ioapic_set(0x14, 0x10045);
	pass(1000);
	expect_none(1);
	assert_int_equal(deadline(), NEVER);
}

static void the_earlier_deadline_counts(void **state)
{
	begin(false, true);
	lapic_set(0, 0xf0, 0x1ff);
	ioapic_set(0x14, 0x45);
	program_timer(0, 1000);
	lapic_set(0, 0x3e0, 0xb);
	lapic_set(0, 0x320, 0x40);
	page_write(chip, chip->lapic,
		   (struct io_access){.off = 0x380, .size = 4, .value = 100, .now = now});
	assert_int_equal(deadline(), now + 100);
	irqchip_update_timer(chip, chip->lapic, now + 100);
	assert_int_equal(deadline(), now + AT(1000));
}

static void other_lines_reach_both(void **state)
{
	begin(true, false);
	program_pic(0);
	irqchip_set_irq(chip, 4, true);
	expect(0, 0x24);
	end_interrupt();
	irqchip_set_irq(chip, 4, false);
	irqchip_set_irq(chip, 4, true);
	expect(0, 0x24);
	end_interrupt();
	irqchip_set_irq(chip, 12, true);
	expect(0, 0x2c);
	irqchip_set_irq(chip, 20, true); /* not the PIC's */
	expect_none(0);
	lapic_set(0, 0xf0, 0x1ff);
	ioapic_set(0x1a, 0x55);
	irqchip_set_irq(chip, 5, true);
	expect(0, 0x55);
}

static void the_power_button_reaches_both(void **state)
{
	begin(true, false);
	program_pic(0xff);
	platform_press_power_button(vm);
	expect_none(0);
	out(0x21, 0xfb);
	expect(0, 0x29);
	out(0xa0, 0x20);
	end_interrupt();
	expect_none(0);
	lapic_set(0, 0xf0, 0x1ff);
	ioapic_set(0x22, 0x59);
	expect(0, 0x59);
}

static void lint0_decides(void **state)
{
	begin(true, false);
	program_pic(0);
	irqchip_set_irq(chip, 3, true);
	assert_int_equal(lapic_pending_vector(&chip->lapic[0]), LAPIC_EXTINT);
	lapic_set(0, 0x350, 0x10700); /* masked */
	expect_none(0);
	lapic_set(0, 0x350, 0x700); /* stays masked: the APIC is off by software */
	expect_none(0);
	lapic_set(0, 0xf0, 0x1ff);
	lapic_set(0, 0x350, 0x700);
	assert_int_equal(lapic_pending_vector(&chip->lapic[0]), LAPIC_EXTINT);
	lapic_set(0, 0xf0, 0xff);
	expect_none(0);
	/* Without its APIC, the processor is wired to the PIC. */
	assert_true(irqchip_msr_write(chip, chip->lapic, MSR_IA32_APIC_BASE,
				      APIC_BASE_ADDR | APIC_BASE_BSP, 0));
	expect(0, 0x23);
	expect_none(0);
}

static void an_edge_of_lint0_can_be_an_interrupt(void **state)
{
	begin(true, false);
	program_pic(0);
	lapic_set(0, 0xf0, 0x1ff);
	lapic_set(0, 0x350, 0x66);
	irqchip_set_irq(chip, 3, true);
	irqchip_set_irq(chip, 5, true);
	expect(0, 0x66);
	lapic_eoi(&chip->lapic[0]);
	expect_none(0);
}

static void the_io_apic_passes_the_pic_on(void **state)
{
	begin(true, false);
	program_pic(0);
	lapic_set(0, 0x350, 0x10700);
	irqchip_set_irq(chip, 3, true);
	expect_none(1);
	ioapic_set(0x11, 1 << 24);
	ioapic_set(0x10, 0x700);
	expect_none(0);
	expect(1, 0x23);
	expect_none(1);
	end_interrupt();
	irqchip_set_irq(chip, 7, true);
	ioapic_set(0x10, 0x10700);
	expect_none(1);
}

static void an_interrupt_that_did_not_arrive_waits(void **state)
{
	begin(true, false);
	program_pic(0);
	irqchip_set_irq(chip, 3, true);
	expect(0, 0x23);
	irqchip_take_back(chip, &chip->lapic[0], 0x23);
	expect(0, 0x23);
	end_interrupt();
	lapic_set(0, 0xf0, 0x1ff);
	ioapic_set(0x1a, 0x55);
	irqchip_set_irq(chip, 5, true);
	end_interrupt();
	expect(0, 0x25);
	expect(0, 0x55);
	irqchip_take_back(chip, &chip->lapic[0], 0x55);
	expect(0, 0x55);
	begin(false, true);
	irqchip_take_back(chip, &chip->lapic[0], 0x23);
	expect_none(0);
}

static void a_poll_takes_the_interrupt(void **state)
{
	begin(true, false);
	program_pic(0);
	irqchip_set_irq(chip, 3, true);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x83);
	expect_none(0);
}

static void channel_2_is_at_port_61(void **state)
{
	begin(false, true);
	out(0x61, 0xff);
	assert_int_equal(in(0x61) & 0xcf, 0x0f);
	out(0x61, 0);
	out(0x43, 0xb0);
	out(0x42, 100);
	out(0x42, 0);
	now += AT(1000);
	assert_int_equal(in(0x61) & 0x20, 0);
	out(0x61, 1);
	now += AT(99);
	assert_int_equal(in(0x61) & 0x21, 1);
	now += AT(1);
	assert_int_equal(in(0x61) & 0x21, 0x21);
}

static void memory_is_refreshed_every_15_microseconds(void **state)
{
	unsigned toggles = 0;
	uint8_t last;

	begin(false, true);
	last = in(0x61) & 0x10;
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t new;

		now += AT(1);
		new = in(0x61) & 0x10;
		toggles += new != last;
		last = new;
	}
	assert_in_range(toggles, 10000 / 18 - 2, 10000 / 18 + 2); /* ticks of 0.838 us */
}

static uint8_t cmos(uint8_t reg)
{
	out(0x70, reg);
	return in(0x71);
}

static void set_cmos(uint8_t reg, uint8_t value)
{
	out(0x70, reg);
	out(0x71, value);
}

static void the_clock_is_line_8(void **state)
{
	begin(true, false);
	program_pic(0xfb);
	set_cmos(0x0a, 0x26); /* 1024 Hz */
	set_cmos(0x0b, 0x42);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(deadline() > now && deadline() <= now + HZ / 1000);
		now = deadline() - 1;
		platform_update_timers(vm, &chip->lapic[0], now);
		expect_none(0);
		now++;
		platform_update_timers(vm, &chip->lapic[0], now);
		expect(0, 0x28);
		/* The line stays up until the guest reads register C. */
		assert_int_equal(deadline(), NEVER);
		pass(100000);
		assert_int_equal(cmos(0x0c) & 0xc0, 0xc0);
		out(0xa0, 0x20);
		end_interrupt();
		expect_none(0);
	}
	out(0xa1, 1);
	assert_int_equal(deadline(), NEVER);
	now += HZ;
	out(0xa1, 0);
	pass(0);
	expect(0, 0x28);
}

static void the_clock_has_a_limit(void **state)
{
	begin(true, false);
	lapic_min_period = HZ / 5000;
	program_pic(0xfb);
	set_cmos(0x0a, 0x23); /* 8192 Hz */
	set_cmos(0x0b, 0x42);
	now = deadline();
	platform_update_timers(vm, &chip->lapic[0], now);
	expect(0, 0x28);
	cmos(0x0c);
	assert_int_equal(deadline(), now + lapic_min_period);
	lapic_min_period = 0;
}

/* The guest's clock moves, its timers do not. */
static void a_moved_tsc_moves_no_timer(void **state)
{
	static const uint64_t by[] = {1000000, -UINT64_C(100000), -UINT64_C(1000), UINT64_MAX / 3};

	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		begin(true, true);
		program_pic(0xfe);
		program_timer(2, 1000);
		pass(300);
		now += by[i];
		platform_move_tsc(vm, &chip->lapic[1], 12345, now);
		platform_move_tsc(vm, &chip->lapic[0], by[i], now);
		assert_int_equal(deadline(), now + AT(700));
		pass(699);
		expect_none(0);
		pass(1);
		expect(0, 0x20);
	}
}

static void hpet_set(uint64_t off, unsigned size, uint64_t value)
{
	struct io_access access = {
		.addr = HPET_BASE + off, .size = size, .value = value, .now = now};

	assert_int_equal(platform_mmio_write(vm, 0, &access), 0);
}

static uint64_t hpet_get(uint64_t off, unsigned size)
{
	struct io_access access = {.addr = HPET_BASE + off, .size = size, .now = now};

	return platform_mmio_read(vm, 0, &access);
}

/* Ticks of the HPET, whose frequency is not a multiple of this TSC's. */
static uint64_t ticks(uint64_t n)
{
	return tick_time(n, HZ, HPET_HZ);
}

static void set_hpet_timer(unsigned n, unsigned config, uint64_t after)
{
	hpet_set(0x100 + 0x20 * n, 4, config);
	hpet_set(0x108 + 0x20 * n, 8, hpet_get(0xf0, 8) + after);
}

static void a_vm_may_have_an_hpet(void **state)
{
	begin(true, true);
	assert_int_equal(hpet_get(0, 8), UINT64_MAX);
	begin_with((struct legacy_parts){.hpet = true});
	assert_int_equal(hpet_get(0, 8), UINT64_C(0x989680) << 32 | HPET_ID);
	assert_int_equal(hpet_get(4, 4), 10000000);
	assert_int_equal(hpet_get(1, 1), 0xa2);
	assert_int_equal(in(0x43), 0xff);
	assert_int_equal(in(0x21), 0xff);
	assert_int_equal(deadline(), NEVER);
}

static void the_hpet_has_lines_of_its_own_choice(void **state)
{
	begin_with((struct legacy_parts){.hpet = true});
	pass(0);
	lapic_set(0, 0xf0, 0x1ff);
	ioapic_set(0x14, 0x42);
	ioapic_set(0x20, 0x48);
	hpet_set(0x10, 4, 1);
	set_hpet_timer(0, 4 | 2 << 9, 1000);
	set_hpet_timer(2, 4 | 8 << 9, 2000);
	assert_int_equal(deadline(), now + ticks(1000));
	now += ticks(1000);
	pass(0);
	expect(0, 0x42);
	lapic_eoi(&chip->lapic[0]);
	now = deadline();
	pass(0);
	expect(0, 0x48);
	assert_int_equal(deadline(), NEVER);
}

static void the_hpet_takes_the_timers_place(void **state)
{
	begin_with((struct legacy_parts){.pic = true, .pit = true, .hpet = true});
	program_pic(0xfe);
	program_timer(2, 1000);
	assert_int_equal(deadline(), now + AT(1000));
	hpet_set(0x10, 4, 3);
	assert_int_equal(deadline(), NEVER);
	pass(1000);
	expect_none(0);
	set_hpet_timer(0, 4, 500);
	assert_int_equal(deadline(), now + ticks(500));
	now += ticks(500);
	pass(0);
	expect(0, 0x20);
	end_interrupt();
	hpet_set(0x10, 4, 1);
	pass(1000);
	expect(0, 0x20);
}

/* A level of the clock, which the guest takes back when it reads register C. */
static void start_clock(void)
{
	out(0x70, 0x0b);
	out(0x71, 0x12);
	now += HZ;
	pass(0);
}

static void the_hpet_takes_the_clocks_place(void **state)
{
	begin_with((struct legacy_parts){.pic = true, .hpet = true});
	start_clock();
	assert_true(chip->ioapic.asserted & BIT(8));
	hpet_set(0x10, 4, 3);
	assert_false(chip->ioapic.asserted & BIT(8));
	set_hpet_timer(1, 4 | 2, 100);
	now += ticks(100);
	assert_int_equal(hpet_get(0x20, 4), 2);
	assert_true(chip->ioapic.asserted & BIT(8));
	hpet_set(0x20, 4, 2);
	assert_false(chip->ioapic.asserted & BIT(8));
	hpet_set(0x10, 4, 1);
	assert_true(chip->ioapic.asserted & BIT(8));
}

static void the_hpet_shares_a_line(void **state)
{
	begin_with((struct legacy_parts){.pic = true, .hpet = true});
	program_pic(0);
	hpet_set(0x10, 4, 1);
	set_hpet_timer(2, 4 | 2 | 8 << 9, 100);
	now += ticks(100);
	assert_int_equal(hpet_get(0x20, 4), 4);
	start_clock();
	hpet_set(0x20, 4, 4);
	assert_true(chip->ioapic.asserted & BIT(8)); /* the clock's */
	set_hpet_timer(0, 4 | 8 << 9, 100);	     /* an edge that is not seen */
	now += ticks(100);
	pass(0);
	assert_true(chip->ioapic.asserted & BIT(8));
	out(0x70, 0x0c);
	(void)in(0x71);
	assert_false(chip->ioapic.asserted & BIT(8));
}

static uint32_t read_pm_timer(void)
{
	struct io_access access = {.addr = PM_TIMER_PORT, .size = 4, .now = now};

	return (uint32_t)platform_port_read(vm, &access);
}

static void the_pm_timer_counts(void **state)
{
	uint32_t before;

	begin(true, true);
	assert_int_equal(read_pm_timer(), UINT32_MAX);
	begin_with((struct legacy_parts){.pm_timer = true});
	before = read_pm_timer();
	now += HZ / 100;
	assert_in_range(read_pm_timer() - before, 35795, 35796);
	assert_int_equal(in(PM_TIMER_PORT + 1), read_pm_timer() >> 8 & 0xff);
	assert_int_equal(in(PM_TIMER_PORT + 3), 0); /* 24 bits */
	out(PM_TIMER_PORT, 0x55);
	assert_in_range(read_pm_timer() - before, 35795, 35796);
	before = read_pm_timer();
	platform_move_tsc(vm, chip->lapic, HZ, now += HZ);
	assert_in_range(read_pm_timer() - before, 0, 1);
	/* In a file of a machine with another frequency, it continues. */
	legacy_loaded(chip, 2 * HZ, now);
	assert_int_equal(read_pm_timer(),
			 tick_count(now - platform_legacy(vm)->moved, 2 * HZ, PM_TIMER_HZ));
}

static void watchdog_set(uint64_t off, unsigned size, uint32_t value)
{
	struct io_access access = {
		.addr = ACPI_WATCHDOG_PORT + off, .size = size, .value = value, .now = now};

	assert_int_equal(platform_port_write(vm, &access), 0);
}

static uint64_t watchdog_get(uint64_t off, unsigned size)
{
	struct io_access access = {.addr = ACPI_WATCHDOG_PORT + off, .size = size, .now = now};

	return platform_port_read(vm, &access);
}

static void the_watchdog_is_looked_at_in_time(void **state)
{
	begin(true, true);
	assert_int_equal(watchdog_get(0, 4), UINT32_MAX);
	begin_with((struct legacy_parts){.watchdog = true});
	pass(0);
	watchdog_set(ACPI_WATCHDOG_COUNT, 4, 20);
	watchdog_set(ACPI_WATCHDOG_CONTROL, 1, 1);
	assert_int_equal(watchdog_get(ACPI_WATCHDOG_CONTROL, 1), 0xff);
	assert_int_equal(deadline(), NEVER);
	watchdog_set(ACPI_WATCHDOG_CONTROL, 4, 1);
	assert_int_equal(watchdog_get(ACPI_WATCHDOG_CONTROL, 4), 1);
	assert_int_equal(deadline(), now + 2 * HZ);
	now += HZ;
	legacy_restart_watchdog(chip, now);
	pass(0);
	assert_int_equal(deadline(), now + 2 * HZ);
	assert_false(platform_take_watchdog(vm));
	now += 2 * HZ;
	take_kicks(chip);
	assert_int_equal(watchdog_get(ACPI_WATCHDOG_COUNT, 4), 0);
	pass(0);
	assert_int_equal(deadline(), now); /* until the owner knows */
	assert_true(platform_take_watchdog(vm));
	assert_false(platform_take_watchdog(vm));
	pass(0);
	assert_int_equal(deadline(), NEVER);
	platform_reset(vm);
	assert_int_equal(watchdog_get(ACPI_WATCHDOG_STATUS, 4), 1);
}

static void a_copy_goes_on_by_itself(void **state)
{
	begin(true, true);
	program_pic(0xfe);
	program_timer(2, 1000);
	memset(&copy, 0x5a, sizeof(copy));
	platform_copy(&copy.platform, vm);
	pass(1000);
	expect(0, 0x20);
	platform_copy(vm, &copy.platform);
	expect_none(0);
	pass(0);
	expect(0, 0x20);
}

static void a_reset_masks_everything(void **state)
{
	begin(true, true);
	program_pic(0);
	program_timer(2, 1000);
	pass(1000);
	platform_reset(vm);
	expect_none(0);
	assert_int_equal(in(0x21), 0xff);
	pass(100000);
	expect_none(0);
	assert_int_equal(deadline(), NEVER);
	assert_int_equal(chip->lapic[0].lvt[LVT_LINT0], 0x700);
	assert_int_equal(chip->lapic[1].lvt[LVT_LINT0], 0x10000);
	out(0x43, 0xe2);
	assert_int_equal(in(0x40) & 0x7f, 0x36);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_has_what_it_is_given),
		cmocka_unit_test(a_tick_is_an_interrupt_of_the_pic),
		cmocka_unit_test(a_mask_holds_a_tick_back),
		cmocka_unit_test(a_tick_reaches_the_io_apic),
		cmocka_unit_test(the_earlier_deadline_counts),
		cmocka_unit_test(other_lines_reach_both),
		cmocka_unit_test(the_power_button_reaches_both),
		cmocka_unit_test(lint0_decides),
		cmocka_unit_test(an_edge_of_lint0_can_be_an_interrupt),
		cmocka_unit_test(the_io_apic_passes_the_pic_on),
		cmocka_unit_test(an_interrupt_that_did_not_arrive_waits),
		cmocka_unit_test(a_poll_takes_the_interrupt),
		cmocka_unit_test(channel_2_is_at_port_61),
		cmocka_unit_test(memory_is_refreshed_every_15_microseconds),
		cmocka_unit_test(the_clock_is_line_8),
		cmocka_unit_test(the_clock_has_a_limit),
		cmocka_unit_test(a_moved_tsc_moves_no_timer),
		cmocka_unit_test(a_vm_may_have_an_hpet),
		cmocka_unit_test(the_hpet_has_lines_of_its_own_choice),
		cmocka_unit_test(the_hpet_takes_the_timers_place),
		cmocka_unit_test(the_hpet_takes_the_clocks_place),
		cmocka_unit_test(the_hpet_shares_a_line),
		cmocka_unit_test(the_pm_timer_counts),
		cmocka_unit_test(the_watchdog_is_looked_at_in_time),
		cmocka_unit_test(a_copy_goes_on_by_itself),
		cmocka_unit_test(a_reset_masks_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
