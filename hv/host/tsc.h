/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* Ticks of the TSC in a second; constant after tsc_init(). */
extern uint64_t tsc_hz;

/* Find tsc_hz. ERR_NOTFOUND, said on the console, if nothing on this machine tells. After
 * acpi_init(). */
enum status tsc_init(void);

/* The time of day, seconds since 1970 UTC, when the TSC was 'at'; 0: not known. Once. */
void tsc_set_time(int64_t unix_time, uint64_t at);
/* The time of day when the TSC is 'at', in ns; 0: not known. */
uint64_t tsc_unix_ns(uint64_t at);

/* Spin. */
void tsc_wait_us(uint64_t us);
