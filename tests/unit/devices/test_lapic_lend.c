/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/lapic_lend.h"

#include <string.h>

#include "hv/devices/irqchip.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define X2APIC (APIC_BASE_ADDR | APIC_BASE_EN | APIC_BASE_EXTD | APIC_BASE_BSP)

static union irqchip_room rooms[2];
static struct lapic *const lapic = rooms[0].chip.lapic;
static uint32_t page[PAGE_SIZE / sizeof(uint32_t)];

static void power_on(struct irqchip *chip)
{
	irqchip_reset(chip, sockets(1), 40);
	assert_true(irqchip_msr_write(chip, chip->lapic, MSR_IA32_APIC_BASE, X2APIC, 0));
	assert_true(irqchip_msr_write(chip, chip->lapic, 0x80f, 0x1ff, 0));
}

static int set_up(void **state)
{
	power_on(&rooms[0].chip);
	power_on(&rooms[1].chip);
	memset(page, 0, sizeof(page));
	return 0;
}

static void take(uint8_t vector, bool level)
{
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, vector, level));
	assert_int_equal(lapic_pending_vector(lapic), vector);
	lapic_accept(lapic, vector);
}

static uint32_t *isr_of(unsigned vector)
{
	return &page[(VIRTUAL_APIC_ISR + 16 * (vector / 32)) / 4];
}

/* What a processor does at WRMSR of EOI. SDM vol. 3, "EOI Virtualization". */
static unsigned virtual_eoi(unsigned svi)
{
	*isr_of(svi) &= ~(1u << svi % 32);
	for (unsigned vector = 255; vector > 0; vector--)
		if (*isr_of(vector) >> vector % 32 & 1)
			return vector;
	return 0;
}

static bool page_is_zero(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(page); i++)
		if (page[i])
			return false;
	return true;
}

static bool page_lends_nothing(void)
{
	uint32_t any = page[VIRTUAL_APIC_TPR / 4];

	for (unsigned i = 0; i < 8; i++)
		any |= *isr_of(32 * i);
	return any == 0;
}

static void nothing_in_service_is_not_lent(void **state)
{
	assert_true(lapic_may_lend(lapic));
	assert_int_equal(lapic_lend(lapic, page), 0);
	assert_false(lapic->is_lent);
	assert_true(page_is_zero());
}

static void each_vector_is_lent_and_comes_back(void **state)
{
	for (unsigned vector = 16; vector < 256; vector++) {
		set_up(NULL);
		take((uint8_t)vector, false);
		assert_true(lapic_may_lend(lapic));
		assert_int_equal(lapic_lend(lapic, page), vector);
		assert_true(lapic->is_lent);
		assert_int_equal(*isr_of(vector), 1u << vector % 32);
		lapic_take_back_lent(lapic, page);
		assert_true(page_is_zero());
		assert_false(lapic->is_lent);
		assert_int_equal(lapic_ppr(lapic), vector & 0xf0);

		assert_int_equal(lapic_lend(lapic, page), vector);
		assert_int_equal(virtual_eoi(vector), 0);
		lapic_take_back_lent(lapic, page);
		assert_true(page_is_zero());
		assert_int_equal(lapic_ppr(lapic), 0);
	}
}

static void an_eoi_that_does_more_is_not_for_the_processor(void **state)
{
	take(0x51, true); /* the I/O APIC is told */
	assert_false(lapic_may_lend(lapic));
	set_up(NULL);
	take(0x51, false);
	assert_true(lapic_may_lend(lapic));
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, 0x41, false)); /* it would come next */
	assert_false(lapic_may_lend(lapic));
	for (unsigned word = 0; word < 4; word++) {
		set_up(NULL);
		lapic->irr[word] = BIT(63);
		assert_false(lapic_may_lend(lapic));
		set_up(NULL);
		lapic->isr[word] = lapic->tmr[word] = BIT(20);
		assert_false(lapic_may_lend(lapic));
		lapic->tmr[word] = BIT(21);
		assert_true(lapic_may_lend(lapic));
	}
}

static void an_xapic_and_a_disabled_one_lend_nothing(void **state)
{
	lapic->base = APIC_BASE_ADDR | APIC_BASE_EN;
	assert_false(lapic_may_lend(lapic));
	lapic->base = APIC_BASE_ADDR;
	assert_false(lapic_may_lend(lapic));
}

/* A saved state may have them in service; SVI 0 would mean that there is none. */
static void illegal_vectors_are_not_lent(void **state)
{
	for (unsigned vector = 0; vector < 16; vector++) {
		set_up(NULL);
		lapic->isr[0] = BIT(vector);
		assert_false(lapic_may_lend(lapic));
	}
}

/* The guest may have ended what seems to block the interrupt. */
static void an_interrupt_for_a_lent_apic_wants_attention(void **state)
{
	take(0x51, false);
	lapic->kicked = false;
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, 0x41, false));
	assert_false(lapic->kicked);
	set_up(NULL);
	take(0x51, false);
	lapic->kicked = false;
	assert_int_equal(lapic_lend(lapic, page), 0x51);
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, 0x41, false));
	assert_true(lapic->kicked);
	assert_int_equal(virtual_eoi(0x51), 0);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	lapic_take_back_lent(lapic, page);
	assert_int_equal(lapic_pending_vector(lapic), 0x41);
}

static uint32_t shown(unsigned reg)
{
	return page[16 * reg / 4];
}

static void tpr_is_lent_once_software_uses_it(void **state)
{
	lapic_set_tpr(lapic, 0);
	assert_int_equal(lapic_lend(lapic, page), 0);
	assert_false(lapic->is_lent);
	lapic_set_tpr(lapic, 0x35);
	assert_int_equal(lapic_lend(lapic, page), 0);
	assert_true(lapic->is_lent);
	assert_int_equal(page[VIRTUAL_APIC_TPR / 4], 0x35);
	page[VIRTUAL_APIC_TPR / 4] = 0x20;
	lapic_take_back_lent(lapic, page);
	assert_int_equal(lapic->tpr, 0x20);
	assert_true(page_lends_nothing());
	lapic_set_tpr(lapic, 0);
	assert_int_equal(lapic_lend(lapic, page), 0);
	assert_true(lapic->is_lent);
}

/* By each register's number: what the page has is what an exit would answer. */
static void what_the_page_shows_is_what_rdmsr_reads(void **state)
{
	unsigned n = 0;
	uint64_t value;

	assert_true(irqchip_msr_write(&rooms[0].chip, lapic, 0x832, 0x20031, 0));
	assert_true(irqchip_msr_write(&rooms[0].chip, lapic, 0x838, 12345, 0));
	assert_true(irqchip_msr_write(&rooms[0].chip, lapic, 0x837, 0x33, 0));
	lapic_set_tpr(lapic, 0x35);
	lapic_lend(lapic, page);
	for (unsigned reg = 0; reg < 0x100; reg++) {
		if (!lapic_shows(reg))
			continue;
		n++;
		assert_true(lapic_msr_read(lapic, MSR_X2APIC_FIRST + reg, &value, 0));
		assert_int_equal(shown(reg), value);
	}
	assert_int_equal(n, 10);
	assert_int_equal(shown(0x38), 12345);
}

/* The guest may have lowered TPR, or raised it. */
static void an_interrupt_behind_a_lent_tpr_wants_attention(void **state)
{
	lapic_set_tpr(lapic, 0x60);
	lapic_lend(lapic, page);
	lapic->kicked = false;
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, 0x41, false));
	assert_true(lapic->kicked);
	page[VIRTUAL_APIC_TPR / 4] = 0x30;
	lapic_take_back_lent(lapic, page);
	assert_int_equal(lapic_pending_vector(lapic), 0x41);
	assert_false(lapic_may_lend(lapic));
}

static void compare(void)
{
	struct lapic other = rooms[1].chip.lapic[0];

	other.kicked = lapic->kicked;
	assert_memory_equal(&other, lapic, sizeof(other));
}

/* The first one's may be virtual. */
static void set_tpr_of_both(uint8_t tpr)
{
	lapic_set_tpr(rooms[1].chip.lapic, tpr);
	if (!lapic->uses_tpr || !lapic_may_lend(lapic)) {
		lapic_set_tpr(lapic, tpr);
		return;
	}
	lapic_lend(lapic, page);
	page[VIRTUAL_APIC_TPR / 4] = tpr;
	lapic_take_back_lent(lapic, page);
}

/* One step of a guest and its devices, on both APICs alike; the first one's EOI may be virtual. */
static void step_both(uint32_t choice)
{
	uint8_t vector = (uint8_t)(16 + choice / 8 % 240);
	bool level = choice % 8 == 1;
	unsigned svi = 0;

	if (choice % 8 < 4) {
		for (unsigned i = 0; i < 2; i++)
			lapic_deliver(rooms[i].chip.lapic, DELIVER_FIXED, vector, level);
	} else if (choice % 8 < 6 && lapic_pending_vector(lapic) >= 0) {
		for (unsigned i = 0; i < 2; i++)
			irqchip_accept(&rooms[i].chip, rooms[i].chip.lapic);
	} else if (choice % 8 == 7) {
		set_tpr_of_both(vector);
	} else {
		if (lapic_may_lend(lapic))
			svi = lapic_lend(lapic, page);
		if (svi)
			virtual_eoi(svi);
		if (lapic->is_lent)
			lapic_take_back_lent(lapic, page);
		if (!svi)
			lapic_eoi(lapic);
		lapic_eoi(rooms[1].chip.lapic);
	}
}

static void a_virtual_eoi_ends_what_an_emulated_one_does(void **state)
{
	uint32_t choice = 1;

	for (unsigned i = 0; i < 200000; i++) {
		choice = choice * 1664525 + 1013904223;
		step_both(choice >> 8);
		compare();
		assert_true(page_lends_nothing());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_in_service_is_not_lent, set_up),
		cmocka_unit_test_setup(each_vector_is_lent_and_comes_back, set_up),
		cmocka_unit_test_setup(an_eoi_that_does_more_is_not_for_the_processor, set_up),
		cmocka_unit_test_setup(an_xapic_and_a_disabled_one_lend_nothing, set_up),
		cmocka_unit_test_setup(illegal_vectors_are_not_lent, set_up),
		cmocka_unit_test_setup(an_interrupt_for_a_lent_apic_wants_attention, set_up),
		cmocka_unit_test_setup(tpr_is_lent_once_software_uses_it, set_up),
		cmocka_unit_test_setup(what_the_page_shows_is_what_rdmsr_reads, set_up),
		cmocka_unit_test_setup(an_interrupt_behind_a_lent_tpr_wants_attention, set_up),
		cmocka_unit_test_setup(a_virtual_eoi_ends_what_an_emulated_one_does, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
