/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"

/*
 * The slots for DIMMs, by which a guest learns that one was added, is asked to give one up, and
 * does so: the registers of QEMU's "ACPI memory hotplug", at its ports. The guest selects a slot by
 * a write to MEMORY_SLOTS_SELECT; all other registers are that slot's. What a slot that does not
 * exist says is 0.
 */
#define MEMORY_SLOTS_PORT    0xa00
#define MEMORY_SLOTS_N_PORTS 24

/* Offsets of registers, in bytes. */
#define MEMORY_SLOTS_SELECT 0x00 /* write, 4 bytes */
#define MEMORY_SLOTS_BASE   0x00 /* read, 8 bytes: guest-physical address */
#define MEMORY_SLOTS_LEN    0x08 /* read, 8 bytes */
#define MEMORY_SLOTS_NODE   0x10 /* read, 4 bytes */
#define MEMORY_SLOTS_FLAGS  0x14 /* enum memory_slot_flag, 1 byte */

enum memory_slot_flag {
	SLOT_ENABLED = 1,  /* read: there is a DIMM */
	SLOT_INSERTED = 2, /* read: it was added; write: the guest has seen this */
	SLOT_REMOVES = 4,  /* read: the guest is asked to give it up; write: it has seen this */
	SLOT_EJECT = 8,	   /* write: the guest gives it up */
};

struct memory_slot {
	uint64_t base, len; /* bytes; 0: none */
	uint32_t node;
	uint8_t flags;	 /* as read */
	bool is_ejected; /* the guest has given it up, but its memory is still there */
};

struct memory_slots {
	uint32_t n, selected;
	/* The guest has given up a DIMM that is still there. Atomic. */
	bool has_ejected;
	/* The first MEMORY_SLOTS_HALF slots, and the others. Not owned. */
	struct memory_slot *half[2];
};

/* Each half fits a frame. */
#define MEMORY_SLOTS_HALF 128

/* The slot of this number, below n. */
static inline struct memory_slot *memory_slots_at(const struct memory_slots *slots, unsigned slot)
{
	return &slots->half[slot / MEMORY_SLOTS_HALF][slot % MEMORY_SLOTS_HALF];
}

/* Put a DIMM into a free slot; 'is_news': the guest is told. */
void memory_slots_insert(struct memory_slots *slots, unsigned slot, const struct memory_slot *dimm,
			 bool is_news);
/* Ask the guest to give up the DIMM of a slot. */
void memory_slots_ask(struct memory_slots *slots, unsigned slot);
/* The next slot whose DIMM the guest has given up; -1: none. */
int memory_slots_next_ejected(const struct memory_slots *slots);
/* The DIMM is gone. */
void memory_slots_clear(struct memory_slots *slots, unsigned slot);

/* The registers; a row of platform_devices for the slots' saved state is memory_slot_class's. */
extern const struct device_class memory_slots_class;
extern const struct device_class memory_slot_class;
