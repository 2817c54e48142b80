/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/ioapic.h"
#include "hv/devices/lapic.h"
#include "hv/lib/types.h"

/*
 * A VM's interrupt controllers, irqchip_size() bytes. Plain state without pointers: copying
 * it whole clones it.
 *
 * Locking: none here. The caller serialises all calls on one irqchip, those on
 * its lapics included, if its VM has more than one vCPU.
 */
struct irqchip {
	unsigned n;	      /* vCPUs */
	unsigned next_lowest; /* where the search for the lowest priority begins */
	/*
	 * Some lapic's 'kicked' is set: it got something its vCPU must look at (a vector that
	 * may be injected, NMI, INIT, SIPI) since irqchip_take_kick(). The caller kicks those
	 * vCPUs.
	 */
	bool kicked;
	struct ioapic ioapic;
	struct lapic lapic[]; /* n of them */
};

static inline size_t irqchip_size(unsigned n_cpus)
{
	return sizeof(struct irqchip) + n_cpus * sizeof(struct lapic);
}

/* On the bus: the I/O APIC's page. */
extern const struct device_class irqchip_class;

/* Power-on state; 'chip' has room for the topology's n_cpus. phys_bits: the guest's physical
 * address width. */
void irqchip_reset(struct irqchip *chip, const struct cpu_topology *topology, unsigned phys_bits);
/* Line 'gsi' (below 24; the I/O APIC's pin of that number) is asserted or not. */
void irqchip_set_irq(struct irqchip *chip, unsigned gsi, bool level);
/* Deliver to every APIC the message names, or, with DELIVER_LOWEST, to one of them. False: nobody
 * took it. */
bool irqchip_deliver(struct irqchip *chip, const struct irq_message *msg);
/*
 * A vCPU's own local APIC, which is one of the chip's: its page, its MSRs (false: #GP) and its
 * timer. What the APIC sends is delivered.
 */
uint64_t irqchip_page_read(struct irqchip *chip, struct lapic *lapic,
			   const struct io_access *access);
void irqchip_page_write(struct irqchip *chip, struct lapic *lapic, const struct io_access *access);
bool irqchip_msr_read(struct irqchip *chip, struct lapic *lapic, uint32_t msr, uint64_t *ret,
		      uint64_t now);
bool irqchip_msr_write(struct irqchip *chip, struct lapic *lapic, uint32_t msr, uint64_t value,
		       uint64_t now);
/* Fire the timer if its time has come. */
void irqchip_update_timer(struct irqchip *chip, struct lapic *lapic, uint64_t now);
/* One vCPU to kick, which is off the list then; -1: none. */
int irqchip_take_kick(struct irqchip *chip);
