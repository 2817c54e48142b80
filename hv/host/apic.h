/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Vectors of the host's interrupts. Their handler only ends the interrupt at the local APIC: the
 * interrupted code looks at memory afterwards.
 */
enum { VECTOR_TIMER = 0xf0, VECTOR_WAKE = 0xf1, VECTOR_SPURIOUS = 0xff };

/*
 * The local APIC of the processor the caller runs on. All functions work on any
 * processor after host_apic_init() or host_apic_enable() there.
 */

/*
 * On the boot processor: choose x2APIC mode if the processor has it, otherwise the memory-mapped
 * registers; mask the 8259s and the I/O APICs; then host_apic_enable(). ERR_NOMEM: cannot map them.
 */
enum status host_apic_init(void);
/* Enable this processor's APIC and mask all its local sources. */
void host_apic_enable(void);
/*
 * On the boot processor, after tsc_init(): measure the timer of an APIC without TSC-deadline mode.
 * ERR_NOTFOUND: the timer does not count.
 */
enum status host_apic_calibrate(void);

/* Whether a processor with this ID can be sent interrupts: without x2APIC mode IDs have 8 bits. */
bool host_apic_reaches(uint32_t apic_id);

void host_apic_eoi(void);

/* Make the processor return from cpu_wait(), or leave the guest. */
void host_apic_send_wake(uint32_t apic_id);
void host_apic_send_init(uint32_t apic_id);
/* 'page': the address of its first instruction, below 1 MiB and a multiple of 4 KiB. */
void host_apic_send_sipi(uint32_t apic_id, phys_t page);
void host_apic_send_nmi(uint32_t apic_id);

/*
 * Interrupt this processor (VECTOR_TIMER) once when the TSC reaches tsc_deadline, immediately if
 * it has already; replaces an earlier deadline. May fire early if the APIC has no TSC-deadline
 * mode.
 */
void host_apic_timer_set(uint64_t tsc_deadline);
/* Whether the timer can be used already. */
bool host_apic_timer_works(void);
