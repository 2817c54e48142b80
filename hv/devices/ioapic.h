/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * An I/O APIC with 24 pins, version 0x20 (with EOI register). Part of struct
 * irqchip, to which its messages go. Locking as there.
 */
#define IOAPIC_N_PINS  24
#define IOAPIC_BASE    UINT64_C(0xfec00000)
#define IOAPIC_SIZE    UINT64_C(0x1000)
#define IOAPIC_VERSION (0x20u | (IOAPIC_N_PINS - 1) << 16)

#define REDIR_VECTOR	 0xffu
#define REDIR_MODE(e)	 ((unsigned)(e) >> 8 & 7)
#define REDIR_LOGICAL	 BIT(11)
#define REDIR_PENDING	 BIT(12) /* delivery status: always idle here */
#define REDIR_LOW	 BIT(13) /* active low: stored, lines are given as asserted or not */
#define REDIR_REMOTE_IRR BIT(14)
#define REDIR_LEVEL	 BIT(15)
#define REDIR_MASKED	 BIT(16)
#define REDIR_DEST(e)	 ((uint32_t)((e) >> 56))

struct ioapic {
	uint8_t select;	   /* IOREGSEL */
	uint32_t id;	   /* bits 27:24 */
	uint32_t asserted; /* bit n: pin n's line is asserted */
	uint64_t redir[IOAPIC_N_PINS];
};

extern const struct device_class ioapic_class; /* saved state only: its page is irqchip_class's */

struct irqchip;

void ioapic_reset(struct ioapic *ioapic);
/* The line of 'pin' (below 24) is now asserted or not; polarity is a wire's matter, not a line's.
 */
void ioapic_set_pin(struct irqchip *chip, unsigned pin, bool asserted);
/* A processor ended the interrupt 'vector': level-triggered pins that are still asserted fire
 * again. */
void ioapic_eoi(struct irqchip *chip, uint8_t vector);
/* The register page; off below 4096, size at most 4. IOREGSEL 0x00, IOWIN 0x10, EOI 0x40. */
uint64_t ioapic_mmio_read(const struct ioapic *ioapic, uint64_t off, unsigned size);
void ioapic_mmio_write(struct irqchip *chip, uint64_t off, unsigned size, uint64_t value);
