/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/devices/irq_message.h"
#include "hv/devices/topology.h"
#include "hv/lib/types.h"

/*
 * One virtual processor's local APIC: xAPIC and x2APIC.
 *
 * An element of struct irqchip's array (hv/devices/irqchip.h). A local APIC changes only its own
 * state and returns the rest as effects, which irqchip.c performs. There are no pointers inside: a
 * copy of an irqchip is a working irqchip.
 *
 * Locking: none here. The caller serialises all calls on one VM's irqchip. Only
 * lapic_pending_vector() and lapic_has_event() may be polled without that; their answer may then be
 * slightly outdated.
 *
 * Time: 'now' is the guest's TSC and never goes backwards. The timer's input clock is the TSC
 * (CPUID leaf 0x15 reports a crystal of TSC Hz and ratio 1), divided by the divide configuration
 * register.
 */
#define APIC_BASE_BSP	  BIT(8)
#define APIC_BASE_EXTD	  BIT(10)
#define APIC_BASE_EN	  BIT(11)
#define APIC_BASE_ADDR	  UINT64_C(0xfee00000)
#define LAPIC_NO_DEADLINE UINT64_MAX
#define LAPIC_EXTINT	  0x100 /* in place of a vector: the PIC will tell it */
#define LAPIC_NMIS_MAX	  2	/* one that the processor takes, and one that waits for its IRET */

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVT };

struct lapic {
	/* Read by the vCPU's run loop. */
	int16_t pending; /* what may be injected now: a vector, LAPIC_EXTINT, -1: nothing; cached */
	/*
	 * Events for the processor itself; set here, taken and cleared by the run loop. INIT goes
	 * first: it clears a SIPI that came before it. The loop calls lapic_init() for an INIT, and
	 * drops a SIPI unless the vCPU waits for one.
	 */
	uint8_t nmis_pending; /* at most 2, or 1 while the processor blocks them */
	bool init_pending;
	bool sipi_pending;
	uint8_t sipi_vector;

	bool kicked;	   /* see struct irqchip */
	uint8_t index;	   /* in the irqchip */
	uint8_t phys_bits; /* guest's physical address width */
	uint8_t tpr;
	uint8_t divide;	      /* divide configuration register */
	uint8_t divide_shift; /* decoded: divisor = 1 << divide_shift */
	bool extint;	      /* the PIC has an interrupt for this processor */
	bool is_lent;	      /* the processor has 'isr': hv/devices/lapic_lend.h */
	bool uses_tpr;	      /* software has written a TPR that is not 0 */
	uint64_t base;	      /* IA32_APIC_BASE */
	uint64_t deadline;    /* TSC at which the timer fires, LAPIC_NO_DEADLINE if not running */
	uint64_t irr[4];
	uint64_t isr[4];
	uint64_t tmr[4];
	uint64_t icr;
	uint32_t id;	   /* x2APIC ID, also the initial xAPIC ID */
	uint32_t xapic_id; /* 8 bits */
	uint32_t ldr;	   /* xAPIC's, 8 bits in 31:24 */
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;	      /* what software reads */
	uint32_t esr_pending; /* collected since the last write of ESR */
	uint32_t timer_initial;
	uint32_t lvt[N_LVT];
};

/* Only for the saved state: the page and the MSRs belong to a vCPU, not to a bus. */
extern const struct device_class lapic_class;

/* What follows from a write to a register; irqchip.c performs it. */
enum lapic_effect {
	LAPIC_VECTOR = 0xff, /* mask: the vector of the next two */
	LAPIC_EOI = 1 << 8,  /* a level-triggered interrupt ended: the I/O APIC may send again */
	LAPIC_SELF_IPI = 1 << 9,  /* an IPI from the APIC to itself */
	LAPIC_SEND_ICR = 1 << 10, /* send the IPI in the ICR */
	LAPIC_REFUSED = 1 << 11,  /* no such register, or an impossible value: nothing changed */
	LAPIC_ENABLED = 1 << 12,  /* from now on the APIC accepts interrupts */
	LAPIC_LINES = 1 << 13,	  /* what LINT0 does may have changed */
};

/* Set the power-on state. phys_bits: 32 to 52. */
void lapic_reset(struct lapic *lapic, unsigned index, uint32_t id, unsigned phys_bits);
/*
 * Perform an INIT: reset all registers except APIC ID and IA32_APIC_BASE to their power-on values.
 * Clears init_pending and nmis_pending; a SIPI that followed the INIT stays.
 */
void lapic_init(struct lapic *lapic);

static inline bool lapic_is_enabled(const struct lapic *lapic)
{
	return (lapic->base & APIC_BASE_EN) != 0;
}

static inline bool lapic_is_x2apic(const struct lapic *lapic)
{
	return (lapic->base & APIC_BASE_EXTD) != 0;
}

/*
 * The vector that may interrupt the processor now by priority (PPR honoured), or -1. LAPIC_EXTINT:
 * the PIC's interrupt, which has no priority and goes first. RFLAGS.IF is not considered.
 */
static inline int lapic_pending_vector(const struct lapic *lapic)
{
	return lapic->pending;
}

/* Whether the run loop must look at an event before it enters the guest or halts the vCPU. */
static inline bool lapic_has_event(const struct lapic *lapic)
{
	return lapic->pending >= 0 || lapic->nmis_pending || lapic->init_pending ||
	       lapic->sipi_pending;
}

/*
 * Whether an NMI waits that the processor can take now. A processor holds one NMI while it blocks
 * them: two that came before merge. SDM vol. 3, "Handling Multiple NMIs".
 */
static inline bool lapic_nmi_is_due(struct lapic *lapic, bool blocked)
{
	if (blocked && lapic->nmis_pending > 1)
		lapic->nmis_pending = 1;
	return lapic->nmis_pending && !blocked;
}

/* Another NMI waits, or merges with those that do. */
static inline void lapic_hold_nmi(struct lapic *lapic)
{
	if (lapic->nmis_pending < LAPIC_NMIS_MAX)
		lapic->nmis_pending++;
}

/* The processor takes 'vector', which lapic_pending_vector() has returned: IRR to ISR. */
void lapic_accept(struct lapic *lapic, uint8_t vector);

/*
 * The processor could not deliver 'vector', which it has taken: ISR to IRR. False: it is not in
 * service.
 */
bool lapic_take_back(struct lapic *lapic, uint8_t vector);

/* Whether the PIC has an interrupt that this processor takes. */
void lapic_set_extint(struct lapic *lapic, bool pending);

/* CR8 is bits 7:4 of TPR. The caller has checked for reserved bits. */
void lapic_set_cr8(struct lapic *lapic, uint64_t value);
static inline uint64_t lapic_get_cr8(const struct lapic *lapic)
{
	return lapic->tpr >> 4;
}

/* Whether the processor's own APIC page, in xAPIC mode, holds this guest-physical address. */
static inline bool lapic_claims(const struct lapic *lapic, uint64_t addr)
{
	return (lapic->base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN &&
	       align_down(addr ^ lapic->base, PAGE_SIZE) == 0;
}

/* A local interrupt source (LINT pins, thermal, performance) fires once, as its LVT entry says. */
void lapic_local_interrupt(struct lapic *lapic, enum lapic_lvt source);

/*
 * A message arrives, an IPI or one from the I/O APIC, that names this APIC as a target. False: not
 * accepted (APIC disabled, illegal vector, unsupported mode).
 */
bool lapic_deliver(struct lapic *lapic, unsigned mode, uint8_t vector, bool level);
/* Record an error (an ESR bit), and raise the error interrupt if the error is new. */
void lapic_error(struct lapic *lapic, uint32_t esr_bit);
/* Processor priority: the higher of TPR's class and the class of the vector in service. */
uint8_t lapic_ppr(const struct lapic *lapic);
/*
 * End the interrupt in service. Returns LAPIC_EOI and the vector if the interrupt was
 * level-triggered, otherwise 0.
 */
uint32_t lapic_eoi(struct lapic *lapic);

/*
 * The effect of clearing IA32_APIC_BASE's enable bit: registers and APIC ID get their power-on
 * values.
 */
void lapic_disable(struct lapic *lapic);
/* Find again what may be injected, after a change of 'irr', 'isr' or 'tpr'. */
void lapic_update_pending(struct lapic *lapic);
void lapic_set_tpr(struct lapic *lapic, uint8_t tpr);

#define LVT_MASKED    BIT(16)
#define LVT_VECTOR    0xffu
#define LVT_MODE(lvt) ((unsigned)(lvt) >> 8 & 7)
#define SVR_ENABLE    BIT(8)
#define APIC_VERSION  0x00050014u /* 6 LVT entries, integrated APIC */

#define ESR_REDIRECTIBLE   BIT(4)
#define ESR_SEND_VECTOR	   BIT(5)
#define ESR_RECEIVE_VECTOR BIT(6)
#define ESR_REGISTER	   BIT(7)
