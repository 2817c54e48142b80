/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/tco.h"
#include "hv/host/wdat.h"

struct cpu;

/* The machine's timer that resets it unless it is fed. */
enum watchdog_kind { WATCHDOG_NONE, WATCHDOG_WDAT, WATCHDOG_TCO };

struct watchdog {
	enum watchdog_kind kind;
	bool is_on; /* resets the machine unless it is fed */
	struct wdat wdat;
	struct tco tco;
};

/* Set by hv/host/watchdog_find.h, except that watchdog_stop() switches it off. */
extern struct watchdog watchdog;

/* The timer counts from the beginning. At most once a second, so it may be called often. */
void watchdog_feed(void);

/*
 * For the loop of each processor, at least every other second: feeds when those of all have passed
 * since the last time.
 */
void watchdog_pass(struct cpu *cpu);

/* Stop the timer, if there is one. */
void watchdog_stop(void);
