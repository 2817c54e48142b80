/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/acpi_watchdog.h"
#include "hv/devices/hpet.h"
#include "hv/devices/irqchip.h"
#include "hv/devices/pit.h"
#include "hv/lib/types.h"

/*
 * How the PC's old interrupt controller and timers are wired. Part of a VM's devices, after the
 * local APICs, if the VM has one of struct legacy_parts. All functions are for an irqchip that
 * has_legacy; locking: see there.
 */
struct legacy_parts {
	bool pic, pit, hpet, pm_timer, watchdog;
};

/* ACPI's PM timer, where QEMU's PCs have it: 24 bits, without an interrupt. */
#define PM_TIMER_PORT	 0x608
#define PM_TIMER_N_PORTS 4
#define PM_TIMER_HZ	 3579545

#define LEGACY_SPEAKER_PORT 0x61 /* of PIT_SPEAKER */

struct legacy {
	struct irqchip_legacy irqs; /* first: the irqchip finds it after the local APICs */
	struct pit pit;
	struct hpet hpet;
	struct acpi_watchdog watchdog;
	struct legacy_parts has;
	uint8_t speaker;  /* port 0x61, bits 3:0 */
	bool clock_line;  /* of the clock, which does not reach line 8 if the HPET replaces it */
	uint32_t pm_base; /* the PM timer's ticks at time 0 */
	/* Timers count in the TSC of vCPU 0, less this: by how much the guest has moved it. */
	uint64_t moved;
	/* The clock's interrupt, in the guest's TSC. */
	uint64_t clock_seen;	 /* until then, its events are known */
	uint64_t clock_deadline; /* of the next one */
	uint64_t clock_at;	 /* of the last one */
};

#define LEGACY_CLOCK_GSI 8

static inline struct legacy *legacy_of(struct irqchip *chip)
{
	return (struct legacy *)irqchip_legacy(chip);
}

/*
 * Power-on state; the irqchip has been reset. The watchdog's status stays, so the first call wants
 * zeros. 'parts' is not in the state.
 */
void legacy_reset(struct irqchip *chip, const struct legacy_parts *parts, uint64_t tsc_hz);
/* Raise the interrupts that are due, and find the next deadline. 'now' is the guest's TSC. */
void legacy_update(struct irqchip *chip, uint64_t now);
/*
 * At 'now' the clock's line is as told, and rises at 'next' (UINT64_MAX: not before it is read).
 * Interrupts are at least the smallest period of timers apart.
 */
void legacy_set_clock(struct irqchip *chip, bool line, uint64_t next, uint64_t now);
/* The guest has not run until 'now', and its watchdog was not to blame. */
void legacy_restart_watchdog(struct irqchip *chip, uint64_t now);
/* The guest has moved the TSC of vCPU 0 by this much, to 'now'. */
void legacy_move(struct irqchip *chip, uint64_t by, uint64_t now);
/*
 * After the state was read from a file. Until 'now', time passed at the other machine's frequency.
 */
void legacy_loaded(struct irqchip *chip, uint64_t tsc_hz, uint64_t now);

/* On the bus, for a device that is the irqchip. */
extern const struct device_class legacy_pic_class, legacy_pit_class, legacy_speaker_class,
	legacy_hpet_class, legacy_pm_timer_class, legacy_watchdog_class;
/* Only for the saved state. */
extern const struct device_class legacy_class;
