/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * An MC146818 with 128 bytes of CMOS RAM at ports 0x70 (index, bit 7: NMI mask)
 * and 0x71 (data). Time goes by the TSC. Interrupts are registers only: no line.
 * Not locked; plain state without pointers.
 */
#define RTC_CMOS_SIZE 128

struct rtc {
	uint8_t index;
	bool nmi_masked;
	bool latched; /* the time registers hold the time of latched_tsc */
	uint64_t latched_tsc;
	int64_t base_time; /* seconds since 1970, UTC, at base_tsc */
	uint64_t base_tsc;
	uint64_t tsc_hz;
	uint8_t cmos[RTC_CMOS_SIZE]; /* registers as the guest sees them */
};

/* unix_time: seconds since 1970, UTC, at TSC 'now'; years 1970 to 9999. tsc_hz is not 0. */
void rtc_init(struct rtc *rtc, int64_t unix_time, uint64_t now, uint64_t tsc_hz);
/* A machine reset: interrupt enables and the index go, time and CMOS RAM stay. */
void rtc_reset(struct rtc *rtc);
/* At two ports: index and data, in accesses of one byte. */
extern const struct device_class rtc_class;
/* What the guest's clock says at 'now', seconds since 1970. While the guest sets it (SET bit):
 * where it stopped. */
int64_t rtc_time(struct rtc *rtc, uint64_t now);
