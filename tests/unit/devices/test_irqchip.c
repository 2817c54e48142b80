/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/irqchip.h"

#include <string.h>

#include "hv/devices/lapic_regs.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define N 4

enum { SELF = 1u << 18, ALL = 2u << 18, OTHERS = 3u << 18, LOGICAL = 1u << 11 };
enum { ASSERT = 1u << 14, LEVEL = 1u << 15 };

static union irqchip_room room;
#define chip room.chip

static void page_set(unsigned cpu, unsigned off, uint32_t value)
{
	page_write(&chip, &chip.lapic[cpu],
		   (struct io_access){.off = off, .size = 4, .value = value});
}

/* N processors in xAPIC mode, enabled, flat logical IDs 1, 2, 4, 8. */
static void start(void)
{
	irqchip_reset(&chip, sockets(N), 40);
	for (unsigned i = 0; i < N; i++) {
		page_set(i, 0xf0, 0x1ff);
		page_set(i, 0xd0, 1u << (24 + i));
	}
}

static void start_x2apic(void)
{
	start();
	for (unsigned i = 0; i < N; i++)
		assert_true(irqchip_msr_write(&chip, &chip.lapic[i], MSR_IA32_APIC_BASE,
					      chip.lapic[i].base | APIC_BASE_EXTD, 0));
}

/* The vCPUs that have 'vector' pending, as bits; accepts and ends it. */
static uint32_t takers(uint8_t vector)
{
	uint32_t result = 0;

	for (unsigned i = 0; i < N; i++)
		if (lapic_pending_vector(&chip.lapic[i]) == vector) {
			lapic_accept(&chip.lapic[i], vector);
			lapic_eoi(&chip.lapic[i]);
			result |= 1u << i;
		}
	return result;
}

static uint32_t send(unsigned from, uint32_t dest, uint32_t low)
{
	page_set(from, 0x310, dest << 24);
	page_set(from, 0x300, low | 0x40);
	return takers(0x40);
}

static uint32_t send_x2apic(unsigned from, uint32_t dest, uint32_t low)
{
	assert_true(irqchip_msr_write(&chip, &chip.lapic[from], 0x830,
				      (uint64_t)dest << 32 | low | 0x40, 0));
	return takers(0x40);
}

static void physical_destinations_in_xapic_mode(void **state)
{
	start();
	for (uint32_t dest = 0; dest < 256; dest++)
		assert_int_equal(send(1, dest, 0), dest == 0xff ? 15 : dest < N ? 1u << dest : 0);
	page_set(2, 0x20, 0x77u << 24); /* the ID register decides */
	assert_int_equal(send(0, 2, 0), 0);
	assert_int_equal(send(0, 0x77, 0), 4);
}

static void flat_logical_destinations(void **state)
{
	start();
	for (uint32_t dest = 0; dest < 256; dest++)
		assert_int_equal(send(1, dest, LOGICAL), dest & 15);
}

static void cluster_logical_destinations(void **state)
{
	start();
	for (unsigned i = 0; i < N; i++) {
		page_set(i, 0xe0, 0);
		page_set(i, 0xd0, (i < 2 ? 0x10u : 0x20u) << 24 | 1u << (24 + i % 2));
	}
	for (uint32_t dest = 0; dest < 256; dest++) {
		uint32_t expect = 0;

		if (dest >> 4 == 1)
			expect = dest & 3;
		if (dest >> 4 == 2)
			expect = (dest & 3) << 2;
		assert_int_equal(send(0, dest, LOGICAL), dest == 0xff ? 15 : expect);
	}
	page_set(0, 0xe0, 0x50000000); /* no such model */
	assert_int_equal(send(0, 0x11, LOGICAL), 0);
}

static void x2apic_destinations(void **state)
{
	start_x2apic();
	for (uint32_t dest = 0; dest < 300; dest++)
		assert_int_equal(send_x2apic(1, dest, 0), dest < N ? 1u << dest : 0);
	assert_int_equal(send_x2apic(1, UINT32_MAX, 0), 15);
	assert_int_equal(send_x2apic(1, UINT32_MAX, LOGICAL), 15);
	for (uint32_t dest = 0; dest < 300; dest++)
		assert_int_equal(send_x2apic(1, dest, LOGICAL), dest & 15);
	assert_int_equal(send_x2apic(1, 0x1000f, LOGICAL), 0); /* another cluster */
}

static void modes_can_be_mixed(void **state)
{
	start();
	assert_true(irqchip_msr_write(&chip, &chip.lapic[0], MSR_IA32_APIC_BASE,
				      chip.lapic[0].base | APIC_BASE_EXTD, 0));
	assert_int_equal(send_x2apic(0, 1, 0), 2);
	assert_int_equal(send_x2apic(0, 0xff, 0), 0); /* no broadcast with 32 bits */
	assert_int_equal(send_x2apic(0, 0xf, LOGICAL), 15);
	assert_int_equal(send_x2apic(0, 0xff, LOGICAL), 15);
	assert_int_equal(send_x2apic(0, 0x10f, LOGICAL),
			 1); /* above 8 bits: no APIC in xAPIC mode */
	assert_int_equal(send(1, 0, 0), 1);
	assert_int_equal(send(1, 0xff, 0), 15);
}

static void shorthands_ignore_the_destination(void **state)
{
	for (unsigned from = 0; from < N; from++) {
		start();
		assert_int_equal(send(from, 0x99, SELF), 1u << from);
		assert_int_equal(send(from, 0x99, ALL), 15);
		assert_int_equal(send(from, 0x99, OTHERS), 15 & ~(1u << from));
		start_x2apic();
		assert_int_equal(send_x2apic(from, 0x99, SELF), 1u << from);
		assert_int_equal(send_x2apic(from, 0x99, ALL), 15);
		assert_int_equal(send_x2apic(from, 0x99, OTHERS), 15 & ~(1u << from));
	}
}

static void a_disabled_apic_hears_nothing(void **state)
{
	start();
	page_set(1, 0xf0, 0xff);
	assert_true(
		irqchip_msr_write(&chip, &chip.lapic[2], MSR_IA32_APIC_BASE, APIC_BASE_ADDR, 0));
	assert_int_equal(send(0, 0xff, 0), 9);
	page_set(0, 0x300, DELIVER_NMI << 8 | ALL);
	assert_true(chip.lapic[0].nmis_pending && chip.lapic[1].nmis_pending);
	assert_int_equal(chip.lapic[2].nmis_pending, 0);
}

static void a_processor_sends_itself_only_interrupts(void **state)
{
	for (unsigned mode = 0; mode < 8; mode++)
		for (unsigned x2apic = 0; x2apic < 2; x2apic++) {
			uint32_t low = SELF | ASSERT | mode << 8, took;

			x2apic ? start_x2apic() : start();
			took = x2apic ? send_x2apic(1, 0, low) : send(1, 0, low);
			assert_int_equal(took, mode == DELIVER_FIXED ? 2 : 0);
			assert_false(lapic_has_event(&chip.lapic[1]));
		}
}

/* One that the processor takes, and one that waits for its IRET. */
static void two_nmis_wait_or_one_if_they_are_blocked(void **state)
{
	struct lapic *lapic = &chip.lapic[1];

	start();
	assert_false(lapic_nmi_is_due(lapic, false));
	for (unsigned i = 0; i < 3; i++)
		page_set(0, 0x300, DELIVER_NMI << 8 | OTHERS);
	assert_int_equal(lapic->nmis_pending, 2);
	assert_true(lapic_nmi_is_due(lapic, false));
	assert_int_equal(lapic->nmis_pending, 2);
	assert_false(lapic_nmi_is_due(lapic, true));
	assert_int_equal(lapic->nmis_pending, 1);
	page_set(0, 0x300, DELIVER_NMI << 8 | OTHERS);
	assert_false(lapic_nmi_is_due(lapic, true));
	assert_true(lapic_nmi_is_due(lapic, false));
	assert_int_equal(lapic->nmis_pending, 1);
	lapic_init(lapic);
	assert_int_equal(lapic->nmis_pending, 0);
}

static void the_lowest_priority_takes_it_and_equals_take_turns(void **state)
{
	unsigned seen[N] = {0};

	start();
	for (unsigned i = 0; i < 2 * N; i++) {
		uint32_t one = send(0, 15, LOGICAL | DELIVER_LOWEST << 8);

		assert_int_equal(__builtin_popcount(one), 1);
		seen[__builtin_ctz(one)]++;
	}
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(seen[i], 2);
	for (unsigned i = 0; i < N; i++)
		page_set(i, 0x80, i == 2 ? 0x10 : 0x30);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(send(0, 15, LOGICAL | DELIVER_LOWEST << 8), 4);
	page_set(2, 0xf0, 0xff);
	assert_int_not_equal(send(0, 15, LOGICAL | DELIVER_LOWEST << 8), 4);
	for (unsigned i = 0; i < N; i++)
		page_set(i, 0xf0, 0xff);
	assert_int_equal(send(0, 15, LOGICAL | DELIVER_LOWEST << 8), 0);
}

static void an_illegal_vector_is_not_sent(void **state)
{
	for (unsigned vector = 0; vector < 32; vector++)
		for (unsigned mode = DELIVER_FIXED; mode <= DELIVER_LOWEST; mode++) {
			start();
			page_set(0, 0x310, 1u << 24);
			page_set(0, 0x300, mode << 8 | vector);
			page_set(0, 0x280, 0);
			assert_int_equal(page_read(&chip, &chip.lapic[0],
						   (struct io_access){.off = 0x280, .size = 4}),
					 vector < 16 ? 0x20 : 0);
			assert_int_equal(chip.lapic[1].esr_pending, 0);
			assert_int_equal(takers((uint8_t)vector), vector < 16 ? 0 : 2);
		}
	start_x2apic();
	assert_true(irqchip_msr_write(&chip, &chip.lapic[0], 0x83f, 7, 0));
	assert_int_equal(chip.lapic[0].esr_pending, ESR_SEND_VECTOR);
}

/* The messages with which Linux starts a processor. */
static void init_deassert_and_two_sipis_start_a_processor(void **state)
{
	start();
	take_kicks(&chip);
	page_set(0, 0x310, 3u << 24);
	page_set(0, 0x300, DELIVER_INIT << 8 | LEVEL | ASSERT);
	assert_int_equal(take_kicks(&chip), 8);
	assert_true(chip.lapic[3].init_pending);
	chip.lapic[3].init_pending = false;
	page_set(0, 0x300, DELIVER_INIT << 8 | LEVEL);
	assert_false(chip.lapic[3].init_pending);
	assert_int_equal(take_kicks(&chip), 0);
	page_set(0, 0x300, DELIVER_SIPI << 8 | 0x9a);
	page_set(0, 0x300, DELIVER_SIPI << 8 | 0x9a);
	assert_int_equal(take_kicks(&chip), 8);
	assert_true(chip.lapic[3].sipi_pending);
	assert_int_equal(chip.lapic[3].sipi_vector, 0x9a);
	for (unsigned i = 0; i < 3; i++)
		assert_false(lapic_has_event(&chip.lapic[i]));
}

static void kicks_name_who_has_something_to_do(void **state)
{
	start();
	page_set(1, 0x80, 0xf0);
	page_set(0, 0x300, ALL | 0x40);
	assert_int_equal(take_kicks(&chip), 15 & ~2); /* masked by priority */
	assert_int_equal(take_kicks(&chip), 0);
	page_set(1, 0x80, 0);
	assert_int_equal(lapic_pending_vector(&chip.lapic[1]), 0x40);
}

static void the_delivery_status_is_always_idle(void **state)
{
	start();
	page_set(0, 0x310, 0x12345678);
	page_set(0, 0x300, ~0u & ~0xc0700u); /* fixed, no shorthand, all other bits */
	assert_int_equal(
		page_read(&chip, &chip.lapic[0], (struct io_access){.off = 0x300, .size = 4}),
		0xc8ff);
	assert_int_equal(
		page_read(&chip, &chip.lapic[0], (struct io_access){.off = 0x310, .size = 4}),
		0x12000000);
}

static void a_copy_is_a_working_irqchip(void **state)
{
	static union irqchip_room copy_room;
	struct irqchip *copy = (void *)&copy_room;

	start();
	memcpy(copy, &chip, irqchip_size(N));
	page_write(copy, &copy->lapic[2],
		   (struct io_access){.off = 0x300, .size = 4, .value = ALL | 0x40});
	assert_int_equal(takers(0x40), 0);
	assert_int_equal(take_kicks(&chip), 0);
	assert_int_equal(take_kicks(copy), 15);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(lapic_pending_vector(&copy->lapic[i]), 0x40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(physical_destinations_in_xapic_mode),
		cmocka_unit_test(flat_logical_destinations),
		cmocka_unit_test(cluster_logical_destinations),
		cmocka_unit_test(x2apic_destinations),
		cmocka_unit_test(modes_can_be_mixed),
		cmocka_unit_test(shorthands_ignore_the_destination),
		cmocka_unit_test(a_disabled_apic_hears_nothing),
		cmocka_unit_test(a_processor_sends_itself_only_interrupts),
		cmocka_unit_test(two_nmis_wait_or_one_if_they_are_blocked),
		cmocka_unit_test(the_lowest_priority_takes_it_and_equals_take_turns),
		cmocka_unit_test(an_illegal_vector_is_not_sent),
		cmocka_unit_test(init_deassert_and_two_sipis_start_a_processor),
		cmocka_unit_test(kicks_name_who_has_something_to_do),
		cmocka_unit_test(the_delivery_status_is_always_idle),
		cmocka_unit_test(a_copy_is_a_working_irqchip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
