/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer. Its state is one number, the TSC at which it fires; the current count is
 * computed when it is read. Periods that passed without an update cause one interrupt. A function
 * that changes a register first lets the timer catch up with 'now', so that an expiry is judged by
 * the mask at the time it happened.
 */
#include "hv/devices/lapic_timer.h"

#define TIMER_MODE(lvt) ((lvt) >> 17 & 3)
enum { TIMER_ONE_SHOT = 0, TIMER_PERIODIC = 1, TIMER_TSC_DEADLINE = 2 };

uint64_t lapic_min_period;

static bool timer_counts(uint32_t lvt)
{
	return TIMER_MODE(lvt) == TIMER_ONE_SHOT || TIMER_MODE(lvt) == TIMER_PERIODIC;
}

/* A time beyond the end of the TSC never comes. */
static uint64_t timer_add(uint64_t now, uint64_t ticks)
{
	uint64_t deadline;

	return __builtin_add_overflow(now, ticks, &deadline) ? LAPIC_NO_DEADLINE : deadline;
}

static uint64_t timer_period(const struct lapic *lapic)
{
	uint64_t period = (uint64_t)lapic->timer_initial << lapic->divide_shift;

	return period < lapic_min_period ? lapic_min_period : period;
}

void lapic_update_timer(struct lapic *lapic, uint64_t now)
{
	uint64_t period = timer_period(lapic), late = now - lapic->deadline;

	if (now < lapic->deadline || lapic->deadline == LAPIC_NO_DEADLINE)
		return;
	if (TIMER_MODE(lapic->lvt[LVT_TIMER]) == TIMER_PERIODIC)
		lapic->deadline = timer_add(now, period - late % period);
	else
		lapic->deadline = LAPIC_NO_DEADLINE;
	lapic_local_interrupt(lapic, LVT_TIMER);
}

uint64_t lapic_next_deadline(const struct lapic *lapic)
{
	uint32_t lvt = lapic->lvt[LVT_TIMER], vector = lvt & LVT_VECTOR;
	bool is_visible = !(lvt & LVT_MASKED) && !(lapic->irr[vector / 64] >> vector % 64 & 1);

	/* The timer catches up when it is unmasked, and before its interrupt is accepted. */
	return is_visible ? lapic->deadline : LAPIC_NO_DEADLINE;
}

void lapic_timer_move(struct lapic *lapic, uint64_t by)
{
	if (timer_counts(lapic->lvt[LVT_TIMER]) && lapic->deadline != LAPIC_NO_DEADLINE)
		lapic->deadline += by;
}

void lapic_timer_set_initial(struct lapic *lapic, uint32_t count, uint64_t now)
{
	uint64_t ticks = (uint64_t)count << lapic->divide_shift;

	if (!timer_counts(lapic->lvt[LVT_TIMER]))
		return;
	lapic_update_timer(lapic, now);
	lapic->timer_initial = count;
	if (TIMER_MODE(lapic->lvt[LVT_TIMER]) == TIMER_PERIODIC)
		ticks = timer_period(lapic);
	lapic->deadline = count == 0 ? LAPIC_NO_DEADLINE : timer_add(now, ticks);
}

/* The remaining count, rounded up: the count reaches zero when the timer fires. */
uint32_t lapic_timer_current(struct lapic *lapic, uint64_t now)
{
	uint64_t divisor = BIT(lapic->divide_shift), count;

	lapic_update_timer(lapic, now);
	if (!timer_counts(lapic->lvt[LVT_TIMER]) || lapic->deadline == LAPIC_NO_DEADLINE)
		return 0;
	count = (lapic->deadline - now + divisor - 1) >> lapic->divide_shift;
	/* A longer period than the guest has asked for begins with the full count. */
	return count < lapic->timer_initial ? (uint32_t)count : lapic->timer_initial;
}

/* SDM vol. 3, "APIC Timer": bits 3, 1 and 0 are the exponent less one, modulo 8. */
void lapic_timer_set_divide(struct lapic *lapic, uint32_t value, uint64_t now)
{
	uint64_t left = lapic_timer_current(lapic, now);

	lapic->divide = value & 0xb;
	lapic->divide_shift = ((value & 3) + (value >> 1 & 4) + 1) & 7;
	if (left != 0)
		lapic->deadline = timer_add(now, left << lapic->divide_shift);
}

void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value, uint64_t now)
{
	uint32_t old = lapic->lvt[LVT_TIMER];

	lapic_update_timer(lapic, now);
	lapic->lvt[LVT_TIMER] = value;
	if (TIMER_MODE(old) == TIMER_MODE(value) || (timer_counts(old) && timer_counts(value)))
		return;
	/* SDM vol. 3, "TSC-Deadline Mode": a change from or to it disarms the timer. */
	lapic->deadline = LAPIC_NO_DEADLINE;
	lapic->timer_initial = 0;
}

void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t value, uint64_t now)
{
	if (TIMER_MODE(lapic->lvt[LVT_TIMER]) != TIMER_TSC_DEADLINE)
		return;
	lapic_update_timer(lapic, now);
	lapic->deadline = value == 0 ? LAPIC_NO_DEADLINE : value;
	lapic_update_timer(lapic, now);
}

uint64_t lapic_timer_tsc_deadline(struct lapic *lapic, uint64_t now)
{
	lapic_update_timer(lapic, now);
	if (TIMER_MODE(lapic->lvt[LVT_TIMER]) != TIMER_TSC_DEADLINE ||
	    lapic->deadline == LAPIC_NO_DEADLINE)
		return 0;
	return lapic->deadline;
}
