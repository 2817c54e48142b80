/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/ioapic.h"
#include "hv/devices/lapic.h"
#include "hv/devices/lapic_regs.h"
#include "hv/devices/lapic_timer.h"
#include "hv/devices/pic.h"
#include "hv/lib/string.h"
#include "hv/lib/types.h"

/* Local APICs that lie in the irqchip itself, and how many of the others share a frame. */
enum { IRQCHIP_NEAR = 5, IRQCHIP_FAR_TOGETHER = PAGE_SIZE / sizeof(struct lapic) };

/*
 * A VM's interrupt controllers, irqchip_size() bytes. Pointers to the local APICs that do not lie
 * here follow those that do: irqchip_far(). The owner sets them, and copies what they point to.
 *
 * Locking: none here. If a VM has several vCPUs, the caller serialises all calls on its irqchip,
 * including those on its local APICs.
 */
struct irqchip {
	unsigned next_lowest; /* where the search for the lowest priority begins */
	uint8_t n;	      /* vCPUs */
	/*
	 * At least one lapic's 'kicked' is set: since irqchip_take_kick() it has received an event
	 * its vCPU must look at (a vector that may be injected, NMI, INIT, SIPI). The caller kicks
	 * those vCPUs.
	 */
	bool kicked;
	bool has_legacy; /* a struct irqchip_legacy follows */
	bool intr;	 /* the PIC's output */
	struct ioapic ioapic;
	struct lapic lapic[]; /* the first IRQCHIP_NEAR of n: use irqchip_lapic() */
};

/*
 * What only a VM with the PC's old interrupt controller or timers has. The PIC's output leads to
 * LINT0 of the first vCPU's local APIC, and to pin 0 of the I/O APIC.
 */
struct irqchip_legacy {
	struct pic pic;
	bool has_pic;
	/* TSC of vCPU 0 at which the caller must look at the timers; UINT64_MAX: never */
	uint64_t deadline;
};

/* The I/O APIC's line of the timer, which is input 0 of the PIC, whose input 2 is the cascade. */
#define IRQCHIP_TIMER_GSI 2

static inline unsigned irqchip_n_near(unsigned n_cpus)
{
	return n_cpus < IRQCHIP_NEAR ? n_cpus : IRQCHIP_NEAR;
}

/* Pieces of memory with IRQCHIP_FAR_TOGETHER local APICs each, or less in the last one. */
static inline unsigned irqchip_n_far(unsigned n_cpus)
{
	return (n_cpus - irqchip_n_near(n_cpus) + IRQCHIP_FAR_TOGETHER - 1) / IRQCHIP_FAR_TOGETHER;
}

static inline size_t irqchip_size(unsigned n_cpus)
{
	return sizeof(struct irqchip) + irqchip_n_near(n_cpus) * sizeof(struct lapic) +
	       irqchip_n_far(n_cpus) * sizeof(struct lapic *);
}

/* Copy all except the local APICs: the I/O APIC is lent until the first use. */
static inline void irqchip_lend(struct irqchip *to, const struct irqchip *from)
{
	memcpy(to, from, offsetof(struct irqchip, ioapic));
	ioapic_lend(&to->ioapic, &from->ioapic);
}

/* The pointers to those pieces. Only if there are any. */
static inline struct lapic **irqchip_far(struct irqchip *chip)
{
	return (struct lapic **)&chip->lapic[IRQCHIP_NEAR];
}

/* The local APIC of vCPU i. */
static inline struct lapic *irqchip_lapic(struct irqchip *chip, unsigned i)
{
	unsigned far = i - IRQCHIP_NEAR;

	if (i < IRQCHIP_NEAR)
		return &chip->lapic[i];
	return &irqchip_far(chip)[far / IRQCHIP_FAR_TOGETHER][far % IRQCHIP_FAR_TOGETHER];
}

/* On the bus it is the I/O APIC's page. */
extern const struct device_class irqchip_class;

/*
 * Set the power-on state. 'chip' has room for the topology's n_cpus, and the pointers are set.
 * phys_bits: the guest's physical address width.
 */
void irqchip_reset(struct irqchip *chip, const struct cpu_topology *topology, unsigned phys_bits);
/*
 * After irqchip_reset(): there is a struct irqchip_legacy, which is set to its power-on state. With
 * a PIC, the first vCPU takes the PIC's interrupts, as a PC's firmware leaves it.
 */
void irqchip_add_legacy(struct irqchip *chip, bool has_pic);

/* Only if has_legacy. */
static inline struct irqchip_legacy *irqchip_legacy(struct irqchip *chip)
{
	return (struct irqchip_legacy *)((char *)chip + irqchip_size(chip->n));
}

/* Pass the PIC's output on, after an access to the PIC. Only if there is a PIC. */
void irqchip_update_intr(struct irqchip *chip);
/* Whether an edge on line 'gsi' may reach a vCPU. Only if has_legacy. */
bool irqchip_is_open(struct irqchip *chip, unsigned gsi);
/* The interrupt lapic_pending_vector() now reaches its vCPU: its vector, also the PIC's. */
uint8_t irqchip_accept(struct irqchip *chip, struct lapic *lapic);
/* The interrupt has not reached the vCPU: it waits again. */
void irqchip_take_back(struct irqchip *chip, struct lapic *lapic, uint8_t vector);
/*
 * Assert or deassert line 'gsi' (below 24): the I/O APIC's pin of that number, and below 16 also
 * the PIC's input. The timer's line, IRQCHIP_TIMER_GSI, is the PIC's input 0.
 */
void irqchip_set_irq(struct irqchip *chip, unsigned gsi, bool level);
/*
 * An edge on line 'gsi' (below 24), which waits while the guest masks the pin. Below 16 it is an
 * edge of the PIC's input, too.
 */
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

/*
 * TSC at which the vCPU of this local APIC must look at its timers next; UINT64_MAX: never, or not
 * before an interrupt is accepted. Legacy timers are the first vCPU's.
 */
uint64_t irqchip_next_deadline(struct lapic *lapic);

/* Take one vCPU off the list of those to kick, and return it; -1: none. */
int irqchip_take_kick(struct irqchip *chip);
