/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * An i8254 at ports 0x40 to 0x43. Channel 0 is IRQ 0, channel 2 has its gate and output at port
 * 0x61. Plain state without pointers, derived from the time 'now', in cycles of the TSC. Not
 * locked.
 */
#define PIT_PORT       0x40
#define PIT_N_PORTS    4
#define PIT_HZ	       1193182
#define PIT_N_CHANNELS 3
#define PIT_SPEAKER    2 /* the channel at port 0x61 */

struct pit_channel {
	uint64_t start;	 /* time at which the count began, if 'counts' */
	uint64_t passed; /* ticks counted, while the gate stops the count */
	uint32_t count;	 /* 1 to 65536 */
	uint16_t latch;	 /* by a latch or read-back command */
	uint8_t mode;	 /* 0 to 5 */
	bool bcd;
	uint8_t access;	 /* bytes of the count, of enum pit_access */
	bool second_in;	 /* the next write is the high byte of two ... */
	bool second_out; /* ... and the next read */
	uint8_t low;	 /* the first of two bytes */
	bool latched;
	bool has_status; /* 'status' is read next */
	uint8_t status;
	bool gate;
	bool counts; /* false: no count since the mode was set, or no trigger */
};

struct pit {
	struct pit_channel channel[PIT_N_CHANNELS];
	uint64_t tsc_hz;
	uint64_t seen;	  /* ticks of channel 0 whose edges have been reported */
	uint64_t edge_at; /* time of the last report */
};

/* As a PC's firmware leaves it: all channels in mode 3 with the longest period. */
void pit_reset(struct pit *pit, uint64_t tsc_hz);
/* Whether channel 0's output has risen since the last call: IRQ 0. */
bool pit_take_edge(struct pit *pit, uint64_t now);
/*
 * Time at which pit_take_edge() must be called next, not before 'now'; UINT64_MAX: never. Edges are
 * at least the smallest period of timers apart (lapic_min_period).
 */
uint64_t pit_next_edge(const struct pit *pit, uint64_t now);
/* The output and the gate of channel 2. */
bool pit_output(const struct pit *pit, uint64_t now);
void pit_set_gate(struct pit *pit, bool gate, uint64_t now);
/* Until 'now', the clock had the frequency tsc_hz instead of the pit's. */
void pit_catch_up(struct pit *pit, uint64_t tsc_hz, uint64_t now);

/* The four ports, in accesses of one byte; 'off' is 0 to 3. */
uint8_t pit_read(struct pit *pit, uint64_t off, uint64_t now);
void pit_write(struct pit *pit, uint64_t off, uint8_t value, uint64_t now);

/* Only for the saved state: an access to a port also concerns IRQ 0. */
extern const struct device_class pit_channel_class;
