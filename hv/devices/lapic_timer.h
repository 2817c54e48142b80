/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/lapic.h"

/*
 * The smallest period of a periodic timer, in ticks of the TSC: a guest gets no interrupts faster
 * than it could take them. Set once, before the first VM.
 */
extern uint64_t lapic_min_period;

/* Fire the timer if it has expired. */
void lapic_update_timer(struct lapic *lapic, uint64_t now);
/* TSC at which lapic_update_timer() must be called next; UINT64_MAX: never, or not before an
 * interrupt is accepted, with which the next one would merge.
 */
uint64_t lapic_next_deadline(const struct lapic *lapic);

/* The guest has moved its TSC by this much. A count does not depend on it. */
void lapic_timer_move(struct lapic *lapic, uint64_t by);

/* The timer's registers. */
void lapic_timer_set_initial(struct lapic *lapic, uint32_t count, uint64_t now);
uint32_t lapic_timer_current(struct lapic *lapic, uint64_t now);
void lapic_timer_set_divide(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t value, uint64_t now);
uint64_t lapic_timer_tsc_deadline(struct lapic *lapic, uint64_t now);
