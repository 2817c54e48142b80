/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/lapic.h"

#define MSR_IA32_APIC_BASE    0x1b
#define MSR_IA32_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_FIRST      0x800
#define MSR_X2APIC_LAST	      0x8ff

/* ID and logical destination register in the format of the current mode. */
uint32_t lapic_get_id(const struct lapic *lapic);
uint32_t lapic_get_ldr(const struct lapic *lapic);

/*
 * IA32_APIC_BASE, IA32_TSC_DEADLINE and 0x800 to 0x8ff. For #GP the read returns false and leaves
 * *ret unwritten, and the write returns LAPIC_REFUSED and changes nothing. A write returns a set of
 * enum lapic_effect.
 */
bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *ret, uint64_t now);
uint32_t lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value, uint64_t now);

/*
 * The xAPIC page. Registers are 32 bits wide, at multiples of 16. A read may cover any part of a
 * register; other bytes read as 0. A write that is not of a whole register is dropped. A write
 * returns a set of enum lapic_effect.
 */
uint64_t lapic_page_read(struct lapic *lapic, const struct io_access *access);
uint32_t lapic_page_write(struct lapic *lapic, const struct io_access *access);
