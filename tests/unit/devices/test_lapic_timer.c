/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/irqchip.h"
#include "hv/devices/lapic.h"
#include "hv/devices/lapic_regs.h"
#include "hv/devices/lapic_timer.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define ONE_SHOT 0x40u
#define PERIODIC 0x20040u
#define DEADLINE 0x40040u
#define MASKED	 0x10000u

static union irqchip_room room;
#define chip room.chip
static struct lapic *const lapic = chip.lapic;

static void write_at(unsigned off, uint32_t value, uint64_t now)
{
	page_write(&chip, lapic,
		   (struct io_access){.off = off, .size = 4, .value = value, .now = now});
}

static uint32_t count_at(uint64_t now)
{
	return (uint32_t)page_read(&chip, lapic,
				   (struct io_access){.off = 0x390, .size = 4, .now = now});
}

/* Divisor 1, so that a count is a tick. */
static void start(uint32_t lvt)
{
	irqchip_reset(&chip, sockets(1), 40);
	write_at(0xf0, 0x1ff, 0);
	write_at(0x3e0, 0xb, 0);
	write_at(0x320, lvt, 0);
}

/* Whether the timer has interrupted by 'now'. Accepts and ends the interrupt. */
static bool fired(uint64_t now)
{
	irqchip_update_timer(&chip, lapic, now);
	if (lapic_pending_vector(lapic) < 0)
		return false;
	assert_int_equal(lapic_pending_vector(lapic), 0x40);
	lapic_accept(lapic, 0x40);
	lapic_eoi(lapic);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	return true;
}

static void an_expiry_kicks_the_vcpu(void **state)
{
	start(ONE_SHOT);
	write_at(0x380, 100, 1000);
	irqchip_update_timer(&chip, lapic, 1099);
	assert_int_equal(take_kicks(&chip), 0);
	irqchip_update_timer(&chip, lapic, 1100);
	assert_int_equal(take_kicks(&chip), 1);
	write_at(0x380, 100, 2000);
	assert_int_equal(count_at(2100), 0); /* a read lets the timer catch up, too */
	lapic_accept(lapic, 0x40);
	assert_int_equal(take_kicks(&chip), 1);
}

static void one_shot_fires_once_on_time(void **state)
{
	start(ONE_SHOT);
	write_at(0x380, 100, 1000);
	assert_int_equal(lapic_next_deadline(lapic), 1100);
	assert_int_equal(count_at(1000), 100);
	assert_int_equal(count_at(1001), 99);
	assert_int_equal(count_at(1099), 1);
	assert_false(fired(1099));
	assert_true(fired(1100));
	assert_int_equal(count_at(1100), 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	assert_false(fired(100000));
	assert_int_equal(
		page_read(&chip, lapic, (struct io_access){.off = 0x380, .size = 4, .now = 2000}),
		100);
}

static void every_divide_value_divides(void **state)
{
	static const unsigned divisor[16] = {2,	 4,  8,	  16, 2,  4,  8,   16,
					     32, 64, 128, 1,  32, 64, 128, 1};

	for (uint32_t value = 0; value < 16; value++) {
		start(ONE_SHOT);
		write_at(0x3e0, value, 0);
		write_at(0x380, 10, 500);
		assert_int_equal(lapic_next_deadline(lapic), 500 + 10 * divisor[value]);
		assert_int_equal(count_at(500 + divisor[value] - 1), 10);
		assert_int_equal(count_at(500 + divisor[value]), 9);
		assert_int_equal(count_at(500 + 10 * divisor[value] - 1), 1);
	}
	start(ONE_SHOT);
	write_at(0x3e0, 10, 0);
	write_at(0x380, UINT32_MAX, 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_C(0xffffffff) * 128);
}

static void changing_the_divisor_keeps_the_count(void **state)
{
	start(ONE_SHOT);
	write_at(0x380, 100, 0);
	write_at(0x3e0, 0x3, 40); /* divided by 16 from here on */
	assert_int_equal(count_at(40), 60);
	assert_int_equal(count_at(56), 59);
	assert_int_equal(lapic_next_deadline(lapic), 40 + 60 * 16);
	write_at(0x3e0, 0xb, 40 + 60 * 16);
	assert_true(fired(40 + 60 * 16));
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
}

static void periodic_keeps_its_beat(void **state)
{
	start(PERIODIC);
	write_at(0x380, 100, 1000);
	assert_false(fired(1099));
	assert_true(fired(1103)); /* late, but the period is not shifted */
	assert_int_equal(count_at(1103), 97);
	assert_int_equal(lapic_next_deadline(lapic), 1200);
	assert_false(fired(1199));
	assert_true(fired(1200));
	assert_int_equal(count_at(1200), 100);
	/* Periods without an update cause one interrupt. */
	assert_true(fired(1999));
	assert_false(fired(1999));
	assert_int_equal(lapic_next_deadline(lapic), 2000);
	write_at(0x380, 0, 2001);
	assert_true(fired(2001));
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	assert_int_equal(count_at(2002), 0);
}

static void a_masked_timer_counts_but_does_not_interrupt(void **state)
{
	start(ONE_SHOT | MASKED);
	write_at(0x380, 100, 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	assert_int_equal(count_at(60), 40);
	write_at(0x320, ONE_SHOT, 150); /* it expired while masked: lost */
	assert_false(fired(200));
	start(PERIODIC | MASKED);
	write_at(0x380, 100, 0);
	write_at(0x320, PERIODIC, 250);
	assert_int_equal(lapic_next_deadline(lapic), 300);
	assert_false(fired(299));
	assert_true(fired(300));
	/* Masked after the expiry: the interrupt is still due. */
	write_at(0x320, PERIODIC | MASKED, 400);
	assert_true(fired(400));
}

/* The steps of a test guest that changes modes while the timer runs. */
static void one_shot_and_periodic_can_be_exchanged_in_flight(void **state)
{
	start(ONE_SHOT);
	write_at(0x380, 1000, 0);
	write_at(0x320, PERIODIC, 900);
	assert_int_equal(count_at(900), 100);
	assert_int_equal(count_at(1001), 999);
	write_at(0x320, ONE_SHOT, 1900);
	assert_int_equal(count_at(1900), 100);
	assert_int_equal(count_at(2000), 0);
	write_at(0x320, PERIODIC, 2100);
	assert_int_equal(count_at(2100), 0); /* the count stays at zero */
	assert_int_equal(
		page_read(&chip, lapic, (struct io_access){.off = 0x380, .size = 4, .now = 2100}),
		1000);
}

static uint64_t deadline_at(uint64_t now)
{
	uint64_t value;

	assert_true(irqchip_msr_read(&chip, lapic, MSR_IA32_TSC_DEADLINE, &value, now));
	return value;
}

static void set_deadline(uint64_t value, uint64_t now)
{
	assert_true(irqchip_msr_write(&chip, lapic, MSR_IA32_TSC_DEADLINE, value, now));
}

static void the_tsc_deadline_fires_once_and_clears_itself(void **state)
{
	start(DEADLINE);
	set_deadline(5000, 1000);
	assert_int_equal(deadline_at(1000), 5000);
	assert_int_equal(lapic_next_deadline(lapic), 5000);
	assert_false(fired(4999));
	assert_true(fired(5000));
	assert_int_equal(deadline_at(5000), 0);
	set_deadline(100, 6000); /* in the past: fires immediately */
	assert_true(fired(6000));
	set_deadline(7000, 6000);
	set_deadline(0, 6500); /* disarms */
	assert_int_equal(deadline_at(6500), 0);
	assert_false(fired(8000));
	set_deadline(9000, 8000);
	assert_int_equal(deadline_at(9000), 0); /* reading lets it expire */
	assert_true(fired(9000));
}

static void an_expired_deadline_is_not_lost_to_a_new_one(void **state)
{
	start(DEADLINE);
	set_deadline(5000, 1000);
	set_deadline(9000, 6000);
	assert_true(fired(6000));
	assert_true(fired(9000));
}

static void the_two_ways_to_start_belong_to_their_modes(void **state)
{
	start(ONE_SHOT);
	set_deadline(5000, 0);
	assert_int_equal(deadline_at(0), 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	start(DEADLINE);
	write_at(0x380, 100, 0);
	assert_int_equal(page_read(&chip, lapic, (struct io_access){.off = 0x380, .size = 4}), 0);
	assert_int_equal(count_at(0), 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
}

static void leaving_or_entering_deadline_mode_disarms(void **state)
{
	static const uint32_t modes[] = {ONE_SHOT, PERIODIC, DEADLINE, 0x60040};

	for (unsigned from = 0; from < 3; from++)
		for (unsigned to = 0; to < 4; to++) {
			bool kept = from == to || (from < 2 && to < 2);

			start(modes[from]);
			if (from < 2)
				write_at(0x380, 100, 0);
			else
				set_deadline(100, 0);
			write_at(0x320, modes[to], 50);
			assert_true(lapic_next_deadline(lapic) == (kept ? 100 : UINT64_MAX));
			assert_int_equal(fired(100), kept);
		}
}

static void the_end_of_time_never_comes(void **state)
{
	start(PERIODIC);
	write_at(0x380, UINT32_MAX, UINT64_MAX - 5);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	assert_false(fired(UINT64_MAX - 1));
	start(PERIODIC);
	write_at(0x380, 100, UINT64_MAX - 150);
	assert_true(fired(UINT64_MAX - 40));
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	start(DEADLINE);
	set_deadline(UINT64_MAX, 0);
	assert_false(fired(UINT64_MAX - 1));
}

static void no_period_is_shorter_than_the_least(void **state)
{
	lapic_min_period = 1000;
	start(PERIODIC);
	write_at(0x380, 1, 5000);
	assert_int_equal(lapic_next_deadline(lapic), 6000);
	assert_int_equal(count_at(5000), 1);
	assert_true(fired(6010));
	assert_int_equal(lapic_next_deadline(lapic), 7000);
	start(ONE_SHOT);
	write_at(0x380, 1, 5000);
	assert_int_equal(lapic_next_deadline(lapic), 5001);
	start(PERIODIC);
	write_at(0x380, 1001, 5000);
	assert_int_equal(lapic_next_deadline(lapic), 6001);
	lapic_min_period = 0;
}

/* The next expiry would change nothing while the interrupt of the last one waits. */
static void an_interrupt_that_waits_needs_no_deadline(void **state)
{
	start(PERIODIC);
	write_at(0x380, 100, 1000);
	irqchip_update_timer(&chip, lapic, 1100);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	irqchip_update_timer(&chip, lapic, 1550);
	lapic_accept(lapic, 0x40);
	assert_int_equal(lapic_next_deadline(lapic), 1600);
	lapic_eoi(lapic);
	assert_false(fired(1599));
	assert_true(fired(1600));
}

static void a_count_does_not_depend_on_the_tsc(void **state)
{
	start(ONE_SHOT);
	write_at(0x380, 100, 1000000);
	lapic_timer_move(lapic, (uint64_t)-999990);
	assert_int_equal(count_at(10), 100);
	assert_int_equal(lapic_next_deadline(lapic), 110);
	start(DEADLINE);
	set_deadline(100, 0);
	lapic_timer_move(lapic, 50);
	assert_int_equal(lapic_next_deadline(lapic), 100);
	start(ONE_SHOT);
	lapic_timer_move(lapic, 50);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expiry_kicks_the_vcpu),
		cmocka_unit_test(one_shot_fires_once_on_time),
		cmocka_unit_test(every_divide_value_divides),
		cmocka_unit_test(changing_the_divisor_keeps_the_count),
		cmocka_unit_test(periodic_keeps_its_beat),
		cmocka_unit_test(a_masked_timer_counts_but_does_not_interrupt),
		cmocka_unit_test(one_shot_and_periodic_can_be_exchanged_in_flight),
		cmocka_unit_test(the_tsc_deadline_fires_once_and_clears_itself),
		cmocka_unit_test(an_expired_deadline_is_not_lost_to_a_new_one),
		cmocka_unit_test(the_two_ways_to_start_belong_to_their_modes),
		cmocka_unit_test(leaving_or_entering_deadline_mode_disarms),
		cmocka_unit_test(the_end_of_time_never_comes),
		cmocka_unit_test(no_period_is_shorter_than_the_least),
		cmocka_unit_test(an_interrupt_that_waits_needs_no_deadline),
		cmocka_unit_test(a_count_does_not_depend_on_the_tsc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
