/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * An MC146818 with 128 bytes of CMOS RAM at ports 0x70 (index, bit 7: NMI mask) and 0x71 (data).
 * Time is derived from the TSC. The owner looks after the line, if the machine has one, and else
 * interrupts are registers only. Not locked; plain state without pointers.
 */
#define RTC_CMOS_SIZE 128

struct rtc {
	uint8_t index;
	bool nmi_masked;
	bool latched;	/* the time registers hold the time of latched_tsc */
	bool is_absent; /* the VM has none; constant, and not saved */
	uint64_t latched_tsc;
	int64_t base_time; /* seconds since 1970, UTC, at base_tsc */
	uint64_t base_tsc;
	uint64_t tsc_hz;
	uint8_t cmos[RTC_CMOS_SIZE]; /* registers as the guest sees them */
};

/* unix_time: seconds since 1970, UTC, at TSC 'now'; years 1970 to 9999. tsc_hz is not 0. */
void rtc_init(struct rtc *rtc, int64_t unix_time, uint64_t now, uint64_t tsc_hz);
/* Write bytes of memory below and above 4 GiB to CMOS RAM, where a PC's firmware has them. */
void rtc_set_memory(struct rtc *rtc, uint64_t low, uint64_t high);
/*
 * Set the flags of register C for what has happened after 'since'. Returns the interrupt line. To
 * be called before and after each access, too.
 */
bool rtc_take_events(struct rtc *rtc, uint64_t since, uint64_t now);
/* TSC at which the line will rise, later than 'now'; UINT64_MAX: it is up, or will not. */
uint64_t rtc_next_event(const struct rtc *rtc, uint64_t now);
/* A machine reset: interrupts and index are cleared, time and CMOS RAM stay. */
void rtc_reset(struct rtc *rtc);
/* Two ports: index and data, in accesses of one byte. */
extern const struct device_class rtc_class;
/*
 * The time of the guest's clock at 'now', seconds since 1970. While the guest sets the clock (SET
 * bit), the time at which the clock stopped.
 */
int64_t rtc_time(struct rtc *rtc, uint64_t now);
