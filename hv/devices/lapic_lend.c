/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/lapic_lend.h"

#include "hv/lib/assert.h"

#define ILLEGAL_VECTORS UINT64_C(0xffff)

bool lapic_may_lend(const struct lapic *lapic)
{
	const uint64_t *irr = lapic->irr, *isr = lapic->isr, *tmr = lapic->tmr;

	return lapic_is_x2apic(lapic) && !(irr[0] | irr[1] | irr[2] | irr[3]) &&
	       !((isr[0] & (tmr[0] | ILLEGAL_VECTORS)) | (isr[1] & tmr[1]) | (isr[2] & tmr[2]) |
		 (isr[3] & tmr[3]));
}

bool lapic_has_in_service(const struct lapic *lapic)
{
	const uint64_t *isr = lapic->isr;

	return !lapic->is_lent && (isr[0] | isr[1] | isr[2] | isr[3]) != 0;
}

/* One of the eight registers with the interrupts in service. */
static uint32_t *isr_register(uint32_t *page, unsigned i)
{
	return &page[(VIRTUAL_APIC_ISR + 16 * i) / sizeof(*page)];
}

uint8_t lapic_lend(struct lapic *lapic, uint32_t *page)
{
	uint8_t highest = 0;

	assert(!lapic->is_lent);
	for (unsigned word = 0; word < 4; word++) {
		uint64_t isr = lapic->isr[word];

		if (isr == 0)
			continue;
		highest = (uint8_t)(word * 64 + 63 - (unsigned)__builtin_clzll(isr));
		*isr_register(page, 2 * word) = (uint32_t)isr;
		*isr_register(page, 2 * word + 1) = (uint32_t)(isr >> 32);
	}
	lapic->is_lent = highest != 0;
	return highest;
}

void lapic_take_back_lent(struct lapic *lapic, uint32_t *page)
{
	assert(lapic->is_lent);
	for (unsigned word = 0; word < 4; word++) {
		uint32_t *low = isr_register(page, 2 * word);
		uint32_t *high = isr_register(page, 2 * word + 1);

		if (lapic->isr[word] == 0)
			continue;
		lapic->isr[word] &= *low | (uint64_t)*high << 32;
		*low = *high = 0;
	}
	lapic->is_lent = false;
	lapic_update_pending(lapic);
}
