/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/devices/irq_message.h"
#include "hv/lib/types.h"

/*
 * An I/O APIC with 24 pins, version 0x20 (with EOI register). Part of struct irqchip, which
 * delivers its messages. Locking: see there.
 */
#define IOAPIC_N_PINS  24
#define IOAPIC_BASE    UINT64_C(0xfec00000)
#define IOAPIC_SIZE    UINT64_C(0x1000)
#define IOAPIC_VERSION (0x20u | (IOAPIC_N_PINS - 1) << 16)

/* Where a PC has the PIC's output. */
#define IOAPIC_PIC_PIN 0

#define REDIR_VECTOR	 0xffu
#define REDIR_MODE(e)	 ((unsigned)(e) >> 8 & 7)
#define REDIR_LOGICAL	 BIT(11)
#define REDIR_PENDING	 BIT(12) /* delivery status: always idle */
#define REDIR_LOW	 BIT(13) /* active low: stored only, because lines are asserted or not */
#define REDIR_REMOTE_IRR BIT(14)
#define REDIR_LEVEL	 BIT(15)
#define REDIR_MASKED	 BIT(16)
#define REDIR_DEST(e)	 ((uint32_t)((e) >> 56))

struct ioapic {
	uint8_t select;	   /* IOREGSEL */
	bool is_lent;	   /* in a clone, before ioapic_own() */
	uint32_t id;	   /* bits 27:24 */
	uint32_t asserted; /* bit n: pin n's line is asserted */
	uint32_t waiting;  /* bit n: no APIC has accepted pin n's edge yet */
	union {
		uint64_t redir[IOAPIC_N_PINS];
		const struct ioapic *lender; /* if is_lent: where all is, except 'asserted' */
	};
};

/* only for the saved state: the register page belongs to irqchip_class */
extern const struct device_class ioapic_class;

void ioapic_reset(struct ioapic *ioapic);

/*
 * Make 'to' equal to 'from', which is its own, does not change any more and stays, at a tenth of a
 * copy's cost. ioapic_own() comes before any other function for 'to', but 'asserted' may be read.
 */
static inline void ioapic_lend(struct ioapic *to, const struct ioapic *from)
{
	to->asserted = from->asserted;
	to->is_lent = true;
	to->lender = from;
}

static inline void ioapic_own(struct ioapic *ioapic)
{
	if (ioapic->is_lent)
		*ioapic = *ioapic->lender;
}

/*
 * These functions return the pins that may now have a message to send, bit n for pin n. For each of
 * them the caller calls ioapic_message(), delivers the message, and calls ioapic_accepted() if an
 * APIC has accepted it.
 */
/* The line of 'pin' (below 24) is now asserted or deasserted. The pin's polarity is ignored. */
uint32_t ioapic_set_pin(struct ioapic *ioapic, unsigned pin, bool asserted);
/* Whether 'pin' passes the PIC's interrupts on, and then to whom: the rest of '*ret' is zeros. */
bool ioapic_extint(const struct ioapic *ioapic, unsigned pin, struct irq_message *ret);
/*
 * An edge of 'pin' that the guest must not miss: it waits while the pin is masked. The line stays
 * as it is.
 */
uint32_t ioapic_signal(struct ioapic *ioapic, unsigned pin);
/* An APIC may accept now what it has refused. */
uint32_t ioapic_retry(const struct ioapic *ioapic);
/*
 * A processor ended the interrupt 'vector': level-triggered pins that are still asserted fire
 * again.
 */
uint32_t ioapic_eoi(struct ioapic *ioapic, uint8_t vector);
/* The register page, in accesses of at most 4 bytes. IOREGSEL 0x00, IOWIN 0x10, EOI 0x40. */
uint32_t ioapic_write(struct ioapic *ioapic, const struct io_access *access);

/* The message that 'pin' has to send; false: none. */
bool ioapic_message(const struct ioapic *ioapic, unsigned pin, struct irq_message *ret);
void ioapic_accepted(struct ioapic *ioapic, unsigned pin);

uint64_t ioapic_read(const struct ioapic *ioapic, const struct io_access *access);
