/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/lapic.h"

/*
 * The interrupts in service of a local APIC, lent to the processor while it runs the guest: the
 * processor then executes WRMSR of the x2APIC's EOI register without an exit. They are in the
 * virtual-APIC page meanwhile, where an EOI takes the highest one away, and nothing else changes.
 * SDM vol. 3, "EOI Virtualization".
 *
 * An APIC whose software uses priorities (uses_tpr) lends its TPR besides, which the guest then
 * writes, and shows the registers that only the guest's own writes change, which exit. Others do
 * not pay for that at each entry. SDM vol. 3, "Virtualizing MSR-Based APIC Accesses".
 *
 * While they are lent, the interrupts in service here may have ended, and TPR may be lower: the
 * owner takes them back
 * before it asks for a priority, and each interrupt that arrives wants the vCPU's attention.
 *
 * Locking: as for all of struct lapic.
 */
#define VIRTUAL_APIC_TPR 0x80
#define VIRTUAL_APIC_ISR 0x100 /* offset; eight registers of 32 bits, 16 bytes apart */

/*
 * Whether an EOI ends nothing but what the processor can end alone: the APIC is an x2APIC, no
 * interrupt waits that the EOI could let through, and the I/O APIC needs no message. Vectors below
 * 16, which only a saved state can have in service, stay here.
 */
bool lapic_may_lend(const struct lapic *lapic);

/*
 * Lend what is in service, and TPR. lapic_may_lend() holds. TPR and the interrupts in service of
 * 'page', which has 4 KiB, are 0. Returns the highest vector in service; 0: there is none.
 */
uint8_t lapic_lend(struct lapic *lapic, uint32_t *page);

/* Whether an interrupt is in service, which is not lent. */
bool lapic_has_in_service(const struct lapic *lapic);

/* Whether the page has this register of an x2APIC, MSR - 0x800, while TPR is lent. */
bool lapic_shows(unsigned reg);

/* Take back TPR, and what is still in service of what was lent, and leave zeros in the page. */
void lapic_take_back_lent(struct lapic *lapic, uint32_t *page);
