/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/ioapic.h"

#include "hv/devices/irqchip.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define N 2

static union irqchip_room room;
#define chip room.chip

static uint64_t chip_read(uint64_t off, unsigned size)
{
	return irqchip_class.read(&chip, &(struct io_access){.off = off, .size = size});
}

static void chip_write(uint64_t off, unsigned size, uint64_t value)
{
	struct io_access access = {.off = off, .size = size, .value = value};

	assert_int_equal(irqchip_class.write(&chip, &access), 0);
}

static void start(void)
{
	irqchip_reset(&chip, sockets(N), 40);
	for (unsigned i = 0; i < N; i++) {
		page_write(&chip, &chip.lapic[i],
			   (struct io_access){.off = 0xf0, .size = 4, .value = 0x1ff});
		page_write(&chip, &chip.lapic[i],
			   (struct io_access){.off = 0xd0, .size = 4, .value = 1u << (24 + i)});
	}
}

static uint32_t get(unsigned reg)
{
	chip_write(0, 4, reg);
	return (uint32_t)chip_read(0x10, 4);
}

static void set(unsigned reg, uint32_t value)
{
	chip_write(0, 4, reg);
	chip_write(0x10, 4, value);
}

static void route(unsigned pin, uint64_t entry)
{
	set(0x11 + 2 * pin, (uint32_t)(entry >> 32));
	set(0x10 + 2 * pin, (uint32_t)entry);
}

/* Accept the interrupt on vCPU 0, without ending it. */
static bool take(uint8_t vector)
{
	if (lapic_pending_vector(chip.lapic) != vector)
		return false;
	lapic_accept(chip.lapic, vector);
	return true;
}

static void eoi(void)
{
	page_write(&chip, chip.lapic, (struct io_access){.off = 0xb0, .size = 4});
}

static void registers_after_reset(void **state)
{
	start();
	assert_int_equal(get(0), 0);
	assert_int_equal(get(1), 0x170020);
	for (unsigned reg = 2; reg < 0x10; reg++)
		assert_int_equal(get(reg), 0);
	for (unsigned reg = 0x10; reg < 0x40; reg++)
		assert_int_equal(get(reg), reg % 2 ? 0 : 0x10000);
	for (unsigned reg = 0x40; reg < 0x100; reg++)
		assert_int_equal(get(reg), 0);
}

static void registers_keep_the_bits_they_have(void **state)
{
	start();
	for (unsigned reg = 0; reg < 0x100; reg++) {
		bool redir = reg >= 0x10 && reg < 0x40;

		set(reg, ~0u);
		if (redir)
			assert_int_equal(get(reg), reg % 2 ? 0xff000000 : 0x1afff);
		else if (reg == 1)
			assert_int_equal(get(reg), 0x170020);
		else
			assert_int_equal(get(reg), reg == 0 || reg == 2 ? 0x0f000000 : 0);
	}
}

static void the_halves_of_an_entry_are_written_apart(void **state)
{
	start();
	set(0x12, 0x10055);
	set(0x13, 0x12000000);
	assert_int_equal(get(0x12), 0x10055);
	set(0x12, 0x10066);
	assert_int_equal(get(0x13), 0x12000000);
	set(0x13, 0x21000000);
	assert_int_equal(get(0x13), 0x21000000);
	assert_int_equal(get(0x12), 0x10066);
}

static void the_window_is_of_32_bits(void **state)
{
	start();
	set(0x10, 0x10055);
	assert_int_equal(chip_read(0, 4), 0x10);
	assert_int_equal(chip_read(0x12, 1) & 0xff, 1);
	assert_int_equal(chip_read(0x10, 2) & 0xffff, 0x55);
	assert_int_equal(chip_read(0x13, 2), 0);
	assert_int_equal(chip_read(0x20, 4), 0);
	chip_write(0x10, 2, 0);
	chip_write(0x11, 1, 0);
	chip_write(0x20, 4, 0);
	assert_int_equal(get(0x10), 0x10055);
	chip_write(0, 1, 1); /* the index is one byte, and can be written as one */
	assert_int_equal(chip_read(0x10, 4), 0x170020);
}

static void an_edge_interrupts_once(void **state)
{
	for (unsigned pin = 0; pin < IOAPIC_N_PINS; pin++) {
		start();
		route(pin, 0x30 + pin);
		irqchip_set_irq(&chip, pin, true);
		assert_true(take((uint8_t)(0x30 + pin)));
		irqchip_set_irq(&chip, pin, true);
		eoi();
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
		irqchip_set_irq(&chip, pin, false);
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
		irqchip_set_irq(&chip, pin, true);
		assert_true(take((uint8_t)(0x30 + pin)));
		assert_int_equal(chip.lapic[0].tmr[0], 0);
	}
}

static void an_edge_on_a_masked_pin_is_lost(void **state)
{
	start();
	irqchip_set_irq(&chip, 4, true);
	route(4, 0x34);
	assert_int_equal(lapic_pending_vector(chip.lapic), -1);
	irqchip_set_irq(&chip, 4, false);
	irqchip_set_irq(&chip, 4, true);
	assert_true(take(0x34));
}

static void a_level_interrupts_until_it_goes(void **state)
{
	start();
	route(9, 0x39 | REDIR_LEVEL | REDIR_LOW);
	irqchip_set_irq(&chip, 9, true);
	assert_int_equal(get(0x10 + 18), 0x39 | REDIR_LEVEL | REDIR_LOW | REDIR_REMOTE_IRR);
	assert_true(take(0x39));
	assert_int_equal(page_read(&chip, chip.lapic, (struct io_access){.off = 0x190, .size = 4}),
			 1u << 25); /* TMR */
	irqchip_set_irq(&chip, 9, true);
	assert_int_equal(lapic_pending_vector(chip.lapic), -1); /* waits for the EOI */
	eoi();
	assert_true(take(0x39)); /* still asserted */
	irqchip_set_irq(&chip, 9, false);
	eoi();
	assert_int_equal(lapic_pending_vector(chip.lapic), -1);
	assert_int_equal(get(0x10 + 18), 0x39 | REDIR_LEVEL | REDIR_LOW);
}

static void an_eoi_goes_to_the_pin_of_its_vector_only(void **state)
{
	start();
	route(5, 0x35 | REDIR_LEVEL);
	route(6, 0x36 | REDIR_LEVEL);
	route(7, 0x37);
	irqchip_set_irq(&chip, 5, true);
	irqchip_set_irq(&chip, 6, true);
	irqchip_set_irq(&chip, 7, true);
	assert_true(take(0x37));
	eoi(); /* an edge sends no EOI message */
	assert_true(take(0x36));
	irqchip_set_irq(&chip, 6, false);
	eoi();
	assert_false(get(0x10 + 12) & REDIR_REMOTE_IRR);
	assert_true(get(0x10 + 10) & REDIR_REMOTE_IRR);
	chip_write(0x40, 4, 0x35);			/* the I/O APIC's own EOI register */
	assert_true(get(0x10 + 10) & REDIR_REMOTE_IRR); /* asserted: fires again immediately */
	irqchip_set_irq(&chip, 5, false);
	chip_write(0x40, 4, 0x35);
	assert_false(get(0x10 + 10) & REDIR_REMOTE_IRR);
}

static void an_eoi_leaves_other_vectors_alone(void **state)
{
	start();
	route(5, 0x35 | REDIR_LEVEL);
	route(6, 0x36 | REDIR_LEVEL);
	irqchip_set_irq(&chip, 5, true);
	irqchip_set_irq(&chip, 6, true);
	irqchip_set_irq(&chip, 5, false);
	assert_int_equal(chip.ioapic.asserted, 1u << 6);
	chip_write(0x40, 4, 0x36);
	assert_true(get(0x10 + 10) & REDIR_REMOTE_IRR);
	route(7, 0x37);
	irqchip_set_irq(&chip, 7, true);
	assert_true(take(0x37));
	chip_write(0x40, 4, 0x37); /* an edge does not fire again */
	assert_false(chip.lapic[0].irr[0] & BIT(0x37));
}

static void a_masked_level_waits(void **state)
{
	start();
	route(9, 0x39 | REDIR_LEVEL | REDIR_MASKED);
	irqchip_set_irq(&chip, 9, true);
	assert_int_equal(lapic_pending_vector(chip.lapic), -1);
	set(0x10 + 18, 0x39 | REDIR_LEVEL);
	assert_true(take(0x39));
	set(0x10 + 18, 0x39 | REDIR_LEVEL | REDIR_MASKED);
	assert_true(get(0x10 + 18) & REDIR_REMOTE_IRR);
	eoi();
	assert_int_equal(lapic_pending_vector(chip.lapic), -1);
	assert_false(get(0x10 + 18) & REDIR_REMOTE_IRR);
	set(0x10 + 18, 0x39 | REDIR_LEVEL);
	assert_true(take(0x39));
}

static void a_switch_to_edge_forgets_the_remote_irr(void **state)
{
	start();
	route(9, 0x39 | REDIR_LEVEL);
	irqchip_set_irq(&chip, 9, true);
	set(0x10 + 18, 0x39 | REDIR_MASKED);
	assert_int_equal(get(0x10 + 18), 0x39 | REDIR_MASKED);
}

static void a_level_nobody_accepts_tries_again(void **state)
{
	start();
	route(9, 0x39 | REDIR_LEVEL);
	page_write(&chip, chip.lapic, (struct io_access){.off = 0xf0, .size = 4, .value = 0xff});
	irqchip_set_irq(&chip, 9, true);
	assert_false(get(0x10 + 18) & REDIR_REMOTE_IRR);
	page_write(&chip, chip.lapic, (struct io_access){.off = 0xf0, .size = 4, .value = 0x1ff});
	irqchip_set_irq(&chip, 9, true);
	assert_true(take(0x39));
}

static void set_svr(unsigned cpu, uint32_t value)
{
	page_write(&chip, &chip.lapic[cpu],
		   (struct io_access){.off = 0xf0, .size = 4, .value = value});
}

static void an_apic_that_is_switched_on_gets_what_was_refused(void **state)
{
	for (uint64_t level = 0; level < 2; level++) {
		start();
		set_svr(0, 0xff);
		route(9, 0x39 | level << 15);
		irqchip_set_irq(&chip, 9, true);
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
		set_svr(1, 0x1ff); /* the other APIC, which is on already */
		set_svr(0, 0x1ff);
		assert_true(take(0x39));
		eoi();
		/* The level is still there; the edge has been sent. */
		assert_int_equal(take(0x39), level);
		set_svr(0, 0xff);
		set_svr(0, 0x1ff);
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
	}
}

/* x2APIC: the same by the MSR. */
static void an_msr_switches_the_apic_on_too(void **state)
{
	start();
	assert_true(irqchip_msr_write(&chip, chip.lapic, MSR_IA32_APIC_BASE,
				      chip.lapic[0].base | APIC_BASE_EXTD, 0));
	assert_true(irqchip_msr_write(&chip, chip.lapic, 0x80f, 0xff, 0));
	route(9, 0x39);
	irqchip_set_irq(&chip, 9, true);
	assert_true(irqchip_msr_write(&chip, chip.lapic, 0x80f, 0x1ff, 0));
	assert_true(take(0x39));
}

static void what_nobody_accepts_goes_to_a_new_destination(void **state)
{
	for (uint64_t level = 0; level < 2; level++) {
		start();
		route(9, 0x39 | level << 15 | UINT64_C(77) << 56);
		irqchip_set_irq(&chip, 9, true);
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
		set(0x11 + 18, 0);
		assert_true(take(0x39));
	}
}

static void an_edge_in_a_mode_that_is_dropped_does_not_wait(void **state)
{
	start();
	route(9, 2 << 8); /* SMI */
	irqchip_set_irq(&chip, 9, true);
	route(9, 0x39);
	assert_false(take(0x39));
}

static void a_signal_waits_while_the_pin_is_masked(void **state)
{
	for (uint64_t level = 0; level < 2; level++) {
		start();
		route(16, 0x39 | REDIR_MASKED | level << 15);
		irqchip_signal(&chip, 16);
		irqchip_signal(&chip, 16);
		assert_int_equal(lapic_pending_vector(chip.lapic), -1);
		route(16, 0x39 | level << 15);
		assert_int_equal(take_kicks(&chip), 1);
		assert_true(take(0x39));
		eoi();
		assert_false(take(0x39));
		irqchip_signal(&chip, 16);
		assert_true(take(0x39));
		/* In service: it waits for its turn. */
		irqchip_signal(&chip, 16);
		eoi();
		assert_true(take(0x39));
	}
}

static void every_delivery_mode(void **state)
{
	for (uint64_t level = 0; level < 2; level++)
		for (uint64_t mode = 0; mode < 8; mode++) {
			start();
			route(3, 0x50 | mode << 8 | level << 15);
			irqchip_set_irq(&chip, 3, true);
			assert_int_equal(lapic_pending_vector(chip.lapic), mode < 2 ? 0x50 : -1);
			assert_int_equal(chip.lapic[0].nmis_pending, mode == DELIVER_NMI);
			assert_int_equal(chip.lapic[0].init_pending, mode == DELIVER_INIT);
			assert_false(chip.lapic[0].sipi_pending);
			assert_int_equal((get(0x16) & REDIR_REMOTE_IRR) != 0, level && mode < 2);
			chip.lapic[0].nmis_pending = 0;
			irqchip_set_irq(&chip, 3, true); /* no new edge, no new NMI */
			assert_int_equal(chip.lapic[0].nmis_pending, 0);
		}
}

static void destinations_are_apic_ids_or_logical(void **state)
{
	for (uint64_t logical = 0; logical < 2; logical++)
		for (uint64_t dest = 0; dest < 256; dest++) {
			uint32_t expect = logical	 ? dest & 3
					  : dest == 0xff ? 3
					  : dest < N	 ? 1u << dest
							 : 0;
			uint32_t got = 0;

			start();
			route(1, 0x51 | logical << 11 | dest << 56);
			irqchip_set_irq(&chip, 1, true);
			for (unsigned i = 0; i < N; i++)
				if (lapic_pending_vector(&chip.lapic[i]) == 0x51)
					got |= 1u << i;
			assert_int_equal(got, expect);
			assert_int_equal(take_kicks(&chip), expect);
		}
}

static void an_illegal_vector_is_the_receivers_error(void **state)
{
	start();
	route(1, 0x0f | REDIR_LEVEL);
	irqchip_set_irq(&chip, 1, true);
	assert_int_equal(chip.lapic[0].esr_pending, ESR_RECEIVE_VECTOR);
	assert_int_equal(lapic_pending_vector(chip.lapic), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_after_reset),
		cmocka_unit_test(registers_keep_the_bits_they_have),
		cmocka_unit_test(the_halves_of_an_entry_are_written_apart),
		cmocka_unit_test(the_window_is_of_32_bits),
		cmocka_unit_test(an_edge_interrupts_once),
		cmocka_unit_test(an_edge_on_a_masked_pin_is_lost),
		cmocka_unit_test(a_level_interrupts_until_it_goes),
		cmocka_unit_test(an_eoi_goes_to_the_pin_of_its_vector_only),
		cmocka_unit_test(an_eoi_leaves_other_vectors_alone),
		cmocka_unit_test(a_masked_level_waits),
		cmocka_unit_test(a_switch_to_edge_forgets_the_remote_irr),
		cmocka_unit_test(a_level_nobody_accepts_tries_again),
		cmocka_unit_test(an_apic_that_is_switched_on_gets_what_was_refused),
		cmocka_unit_test(an_msr_switches_the_apic_on_too),
		cmocka_unit_test(what_nobody_accepts_goes_to_a_new_destination),
		cmocka_unit_test(an_edge_in_a_mode_that_is_dropped_does_not_wait),
		cmocka_unit_test(a_signal_waits_while_the_pin_is_masked),
		cmocka_unit_test(every_delivery_mode),
		cmocka_unit_test(destinations_are_apic_ids_or_logical),
		cmocka_unit_test(an_illegal_vector_is_the_receivers_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
