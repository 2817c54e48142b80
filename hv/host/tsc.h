/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Ticks of the TSC in a second; constant after tsc_init(). */
extern uint64_t tsc_hz;

/* Set the time of day, in seconds since 1970 UTC, when the TSC was 'at'; 0: unknown. Call once. */
void tsc_set_time(int64_t unix_time, uint64_t at);
/* The time of day in ns when the TSC is 'at'; 0: unknown. */
uint64_t tsc_unix_ns(uint64_t at);

/* Spin. */
void tsc_wait_us(uint64_t us);
