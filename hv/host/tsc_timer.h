/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The machine's timers whose frequency is known, the best first. */
enum tsc_timer { TSC_TIMER_HPET, TSC_TIMER_PM, TSC_TIMER_PIT, TSC_TIMERS };

/* Make the timer count; returns its frequency, 0: there is no such timer. After acpi_init(). */
uint64_t tsc_timer_start(enum tsc_timer timer);

/* Counts up, modulo tsc_timer_mask() + 1. */
uint32_t tsc_timer_read(enum tsc_timer timer);
uint32_t tsc_timer_mask(enum tsc_timer timer);
