/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/lapic.h"

/* Fire the timer if it has expired. */
void lapic_update_timer(struct lapic *lapic, uint64_t now);
/* TSC at which lapic_update_timer() must be called next; UINT64_MAX: never. */
uint64_t lapic_next_deadline(const struct lapic *lapic);

/* The timer's registers. */
void lapic_timer_set_initial(struct lapic *lapic, uint32_t count, uint64_t now);
uint32_t lapic_timer_current(struct lapic *lapic, uint64_t now);
void lapic_timer_set_divide(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value, uint64_t now);
void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t value, uint64_t now);
uint64_t lapic_timer_tsc_deadline(struct lapic *lapic, uint64_t now);
