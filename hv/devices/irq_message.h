/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Delivery modes of ICR, LVT and I/O APIC. */
enum {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_SIPI = 6,
	DELIVER_EXTINT = 7,
};

/* A message on the interrupt bus. */
struct irq_message {
	uint32_t dest; /* APIC ID, or logical mask */
	uint8_t mode;  /* DELIVER_ */
	uint8_t vector;
	bool logical; /* dest is a logical destination */
	bool wide;    /* dest has 32 bits (from an x2APIC), not 8; decides what a broadcast is */
	bool level;   /* level-triggered */
};
