/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/devices/irq_message.h"
#include "hv/devices/topology.h"
#include "hv/lib/types.h"

/*
 * One virtual processor's local APIC: xAPIC and x2APIC.
 *
 * An element of struct irqchip's array (hv/devices/irqchip.h), which does what concerns others:
 * a local APIC changes its own state only, and returns the rest as effects. No pointers inside: a
 * copy of the irqchip is a working irqchip.
 *
 * Locking: none here. The caller serialises all calls on one VM's irqchip; only
 * lapic_pending_vector() and lapic_has_event() may be polled without that, the
 * answer then may be a moment old.
 *
 * Time: 'now' is the guest's TSC and does not go backwards. The timer's input
 * clock is the TSC (CPUID leaf 0x15 tells the guest a crystal of TSC Hz and ratio
 * 1), divided by the divide configuration register.
 */
#define APIC_BASE_BSP	  BIT(8)
#define APIC_BASE_EXTD	  BIT(10)
#define APIC_BASE_EN	  BIT(11)
#define APIC_BASE_ADDR	  UINT64_C(0xfee00000)
#define LAPIC_NO_DEADLINE UINT64_MAX

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVT };

struct lapic {
	/* What the vCPU's run loop looks at. */
	int16_t pending; /* highest vector that may be injected now, -1 none; cached */
	/*
	 * Events for the processor itself; set here, taken and cleared by the run
	 * loop. INIT goes first: it clears a SIPI that came before it. The loop
	 * calls lapic_init() for an INIT, and drops a SIPI unless the vCPU waits for one.
	 */
	bool nmi_pending;
	bool init_pending;
	bool sipi_pending;
	uint8_t sipi_vector;

	bool kicked;	   /* see struct irqchip */
	uint8_t index;	   /* in the irqchip */
	uint8_t phys_bits; /* guest's physical address width */
	uint8_t tpr;
	uint8_t divide;	      /* divide configuration register */
	uint8_t divide_shift; /* its meaning: divisor = 1 << divide_shift */
	uint64_t base;	      /* IA32_APIC_BASE */
	uint64_t deadline;    /* TSC at which the timer fires, LAPIC_NO_DEADLINE if not running */
	uint64_t irr[4];
	uint64_t isr[4];
	uint64_t tmr[4];
	uint64_t icr;
	uint32_t id;	   /* the x2APIC's, also the initial one */
	uint32_t xapic_id; /* 8 bits */
	uint32_t ldr;	   /* xAPIC's, 8 bits in 31:24 */
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;	      /* what software reads */
	uint32_t esr_pending; /* gathered since the last write of ESR */
	uint32_t timer_initial;
	uint32_t lvt[N_LVT];
};

/* Saved state only: the page and the MSRs belong to a vCPU, not to a bus. */
extern const struct device_class lapic_class;

/* What follows from a write to a register, for irqchip.c to do. */
enum lapic_effect {
	LAPIC_VECTOR = 0xff, /* mask of the vector that belongs to the next two */
	LAPIC_EOI = 1 << 8,  /* a level-triggered interrupt ended: the I/O APIC may send again */
	LAPIC_SELF_IPI = 1 << 9,  /* an IPI from the APIC to itself */
	LAPIC_SEND_ICR = 1 << 10, /* an IPI as the ICR says */
	LAPIC_REFUSED = 1 << 11,  /* no such register, or not with this value: nothing changed */
};

/* Power-on state. phys_bits: 32 to 52. */
void lapic_reset(struct lapic *lapic, unsigned index, uint32_t id, unsigned phys_bits);
/*
 * What an INIT does: all registers but APIC ID and IA32_APIC_BASE as after
 * power-on. Clears init_pending and nmi_pending; a SIPI that followed the INIT stays.
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

/* The vector that may interrupt the processor now by priority (PPR honoured), or -1. RFLAGS.IF is
 * not our matter. */
static inline int lapic_pending_vector(const struct lapic *lapic)
{
	return lapic->pending;
}

/* Is there anything the run loop should look at before it enters the guest or halts it? */
static inline bool lapic_has_event(const struct lapic *lapic)
{
	return lapic->pending >= 0 || lapic->nmi_pending || lapic->init_pending ||
	       lapic->sipi_pending;
}

/* The processor takes 'vector', which lapic_pending_vector() gave: IRR to ISR. */
void lapic_accept(struct lapic *lapic, uint8_t vector);

/* CR8 is bits 7:4 of TPR. The caller has checked for reserved bits. */
void lapic_set_cr8(struct lapic *lapic, uint64_t value);
static inline uint64_t lapic_get_cr8(const struct lapic *lapic)
{
	return lapic->tpr >> 4;
}

/* Does the processor's own APIC page, in xAPIC mode, hold this guest-physical address? */
static inline bool lapic_claims(const struct lapic *lapic, uint64_t addr)
{
	return (lapic->base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN &&
	       align_down(addr ^ lapic->base, PAGE_SIZE) == 0;
}

/* A local interrupt source fires once (LINT pins, thermal, performance): as its LVT entry says. */
void lapic_local_interrupt(struct lapic *lapic, enum lapic_lvt source);

/*
 * A message arrives which names this APIC as a target: from the I/O APIC, or an IPI.
 * False if it was not accepted (disabled, illegal vector, a mode nobody serves).
 */
bool lapic_deliver(struct lapic *lapic, unsigned mode, uint8_t vector, bool level);
/* Note an error (an ESR bit) and raise the error interrupt if it is new. */
void lapic_error(struct lapic *lapic, uint32_t esr_bit);
/* Processor priority: the higher class of TPR and the vector in service. */
uint8_t lapic_ppr(const struct lapic *lapic);
/* End the interrupt in service. Returns LAPIC_EOI and its vector if it was level-triggered, or 0.
 */
uint32_t lapic_eoi(struct lapic *lapic);

/* The effect of clearing IA32_APIC_BASE's enable bit: registers and APIC ID as after power-on. */
void lapic_disable(struct lapic *lapic);
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
