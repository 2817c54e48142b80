/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The local APIC of the processor the caller runs on. All functions work on any
 * processor after host_apic_init() there.
 */

/* x2APIC mode if the processor has it, else the memory-mapped registers; masks all local sources
 * and the 8259s. */
void host_apic_init(void);

uint32_t host_apic_id(void);
void host_apic_eoi(void);

/* Make the processor leave cpu_wait() or the guest. */
void host_apic_send_wake(uint32_t apic_id);
void host_apic_send_init(uint32_t apic_id);
/* 'page': where it starts, below 1 MiB and a multiple of 4 KiB. */
void host_apic_send_sipi(uint32_t apic_id, phys_t page);
void host_apic_send_nmi_all_but_self(void);

/*
 * Interrupt this processor (VECTOR_TIMER) once when the TSC reaches tsc_deadline, soon if it has
 * already; replaces an earlier deadline. May come early where the APIC has no TSC-deadline mode.
 */
void host_apic_timer_set(uint64_t tsc_deadline);
void host_apic_timer_stop(void);
