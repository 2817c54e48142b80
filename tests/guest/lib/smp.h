/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Other processors, for payloads that are linked with smp.c and ap.asm. They share the IDT, the
 * page tables and the hooks with the boot processor, and have no TSS; only the boot processor
 * prints and reports. A processor whose work returns halts for good.
 */

#include "tests/guest/lib/lib.h"

#define SMP_MAX 64

/* Read the MADT: the number of processors, at most SMP_MAX; number 0 is the boot processor. */
unsigned smp_find(void);
/* Their APIC IDs. */
uint32_t smp_id(unsigned cpu);
/* The APIC ID and the number of the calling processor. */
uint32_t smp_own_id(void);
unsigned smp_self(void);

/* A processor's registers at its start. */
struct smp_entry {
	uint32_t edx, cs;
};

/*
 * Start a processor by INIT, SIPI, SIPI, as kernels do; false: it did not start. It enters the
 * APIC mode of the processor that starts it, with its APIC enabled and interrupts disabled.
 */
bool smp_start_one(unsigned cpu, void (*todo)(unsigned cpu), struct smp_entry *ret);
/* The same without waiting. No two processors may be on their way at once. */
void smp_begin_start(unsigned cpu, void (*todo)(unsigned cpu));
/* Start all others. */
bool smp_start(void (*todo)(unsigned cpu));

/* Write the ICR, in either mode. */
void smp_send(uint32_t destination, uint32_t command);
