/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/ioapic.h"
#include "hv/devices/lapic.h"
#include "hv/devices/lapic_regs.h"
#include "hv/devices/lapic_timer.h"
#include "hv/lib/types.h"

/*
 * A VM's interrupt controllers, irqchip_size() bytes. Plain state without pointers: copying the
 * whole clones it.
 *
 * Locking: none here. If a VM has several vCPUs, the caller serialises all calls on its irqchip,
 * including those on its local APICs.
 */
struct irqchip {
	unsigned n;	      /* vCPUs */
	unsigned next_lowest; /* where the search for the lowest priority begins */
	/*
	 * At least one lapic's 'kicked' is set: since irqchip_take_kick() it has received an event
	 * its vCPU must look at (a vector that may be injected, NMI, INIT, SIPI). The caller kicks
	 * those vCPUs.
	 */
	bool kicked;
	struct ioapic ioapic;
	struct lapic lapic[]; /* n of them */
};

static inline size_t irqchip_size(unsigned n_cpus)
{
	return sizeof(struct irqchip) + n_cpus * sizeof(struct lapic);
}

/* On the bus it is the I/O APIC's page. */
extern const struct device_class irqchip_class;

/*
 * Set the power-on state. 'chip' has room for the topology's n_cpus. phys_bits: the guest's
 * physical address width.
 */
void irqchip_reset(struct irqchip *chip, const struct cpu_topology *topology, unsigned phys_bits);
/* Assert or deassert line 'gsi' (below 24), which is the I/O APIC's pin of that number. */
void irqchip_set_irq(struct irqchip *chip, unsigned gsi, bool level);
/* An edge on line 'gsi' (below 24), which waits while the guest masks the pin. */
void irqchip_signal(struct irqchip *chip, unsigned gsi);
/* Perform what follows from an access to 'lapic': 'effect' is a set of enum lapic_effect. */
void irqchip_complete(struct irqchip *chip, struct lapic *lapic, uint32_t effect);

/*
 * A vCPU's own local APIC, which is one of the chip's: its page, its MSRs (false: #GP) and its
 * timer. Messages that the APIC sends are delivered. Inline, because the MSRs and the timer are on
 * the path of most exits.
 */
static inline uint64_t irqchip_page_read(struct irqchip *chip, struct lapic *lapic,
					 const struct io_access *access)
{
	uint64_t value = lapic_page_read(lapic, access);

	chip->kicked |= lapic->kicked;
	return value;
}

static inline void irqchip_page_write(struct irqchip *chip, struct lapic *lapic,
				      const struct io_access *access)
{
	irqchip_complete(chip, lapic, lapic_page_write(lapic, access));
	chip->kicked |= lapic->kicked;
}

static inline bool irqchip_msr_read(struct irqchip *chip, struct lapic *lapic, uint32_t msr,
				    uint64_t *ret, uint64_t now)
{
	bool ok = lapic_msr_read(lapic, msr, ret, now);

	chip->kicked |= lapic->kicked;
	return ok;
}

static inline bool irqchip_msr_write(struct irqchip *chip, struct lapic *lapic, uint32_t msr,
				     uint64_t value, uint64_t now)
{
	uint32_t effect = lapic_msr_write(lapic, msr, value, now);

	if (effect)
		irqchip_complete(chip, lapic, effect);
	chip->kicked |= lapic->kicked;
	return !(effect & LAPIC_REFUSED);
}

/* Fire the timer if it has expired. */
static inline void irqchip_update_timer(struct irqchip *chip, struct lapic *lapic, uint64_t now)
{
	lapic_update_timer(lapic, now);
	chip->kicked |= lapic->kicked;
}

/* Take one vCPU off the list of those to kick, and return it; -1: none. */
int irqchip_take_kick(struct irqchip *chip);
