/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * An HPET: a counter and three timers that compare themselves with it (IA-PC HPET specification
 * 1.0a), with the numbers of QEMU's. Plain state without pointers, derived from the time 'now', in
 * cycles of the TSC. Not locked.
 */
#define HPET_BASE     UINT64_C(0xfed00000)
#define HPET_SIZE     UINT64_C(0x400)
#define HPET_HZ	      100000000 /* of the counter: 10 ns */
#define HPET_N_TIMERS 3
#define HPET_ID	      0x8086a201u /* low half of the first register */

/* The lines of the I/O APIC that a timer may use: the timer's and the clock's. */
#define HPET_TIMER_GSI 2
#define HPET_CLOCK_GSI 8
#define HPET_ROUTES    ((uint32_t)(BIT(HPET_TIMER_GSI) | BIT(HPET_CLOCK_GSI)))

struct hpet_timer {
	uint64_t comparator;
	uint64_t period;
	uint64_t due;	 /* the counter's value at the next event; UINT64_MAX: none */
	uint32_t config; /* the bits that a guest can write */
	uint32_t reserved;
};

struct hpet {
	struct hpet_timer timer[HPET_N_TIMERS];
	uint64_t counter; /* its value while it stands, else at ... */
	uint64_t start;	  /* ... this time */
	uint64_t tsc_hz;
	uint64_t edge_at; /* time of the last event that was taken */
	uint32_t config;
	uint32_t status; /* bit n: the level of timer n is up */
};

void hpet_reset(struct hpet *hpet, uint64_t tsc_hz);
/* Registers, in aligned accesses of up to 8 bytes; a write of fewer than 4 is ignored. */
uint64_t hpet_read(const struct hpet *hpet, uint64_t off, uint64_t now);
void hpet_write(struct hpet *hpet, const struct io_access *access, uint64_t now);

/* Whether the timers 0 and 1 take the place of the i8254 and of the clock. */
bool hpet_replaces_legacy(const struct hpet *hpet);
/* Take the events that are due. Returns the lines that get an edge, bit n for GSI n. */
uint32_t hpet_take_edges(struct hpet *hpet, uint64_t now);
/* The lines that are up: of level-triggered timers. */
uint32_t hpet_lines(const struct hpet *hpet);
/*
 * Time at which hpet_take_edges() must be called next for the timers whose lines are in 'open', not
 * before 'now'; UINT64_MAX: never. Events are at least the smallest period of timers apart
 * (lapic_min_period).
 */
uint64_t hpet_next_event(const struct hpet *hpet, uint32_t open, uint64_t now);
/* Until 'now', the clock had the frequency tsc_hz instead of the hpet's. */
void hpet_catch_up(struct hpet *hpet, uint64_t tsc_hz, uint64_t now);

/* Only for the saved state: an access also concerns the lines. */
extern const struct device_class hpet_class;
