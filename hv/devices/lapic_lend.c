/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/lapic_lend.h"

#include <stddef.h>

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

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

/* The registers that a struct lapic has as they are read, and their numbers. */
static const struct {
	uint8_t reg, offset;
} shown[] = {
	{0x02, offsetof(struct lapic, id)},
	{0x0f, offsetof(struct lapic, svr)},
	{0x28, offsetof(struct lapic, esr)},
	{0x32, offsetof(struct lapic, lvt[LVT_TIMER])},
	{0x33, offsetof(struct lapic, lvt[LVT_THERMAL])},
	{0x34, offsetof(struct lapic, lvt[LVT_PERF])},
	{0x35, offsetof(struct lapic, lvt[LVT_LINT0])},
	{0x36, offsetof(struct lapic, lvt[LVT_LINT1])},
	{0x37, offsetof(struct lapic, lvt[LVT_ERROR])},
	{0x38, offsetof(struct lapic, timer_initial)},
};

bool lapic_shows(unsigned reg)
{
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (shown[i].reg == reg)
			return true;
	return false;
}

static void lend_tpr(const struct lapic *lapic, uint32_t *page)
{
	page[VIRTUAL_APIC_TPR / sizeof(*page)] = lapic->tpr;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		memcpy(&page[16 * shown[i].reg / sizeof(*page)],
		       (const uint8_t *)lapic + shown[i].offset, sizeof(*page));
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
	if (lapic->uses_tpr)
		lend_tpr(lapic, page);
	lapic->is_lent = highest != 0 || lapic->uses_tpr;
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
	if (lapic->uses_tpr) {
		lapic->tpr = (uint8_t)page[VIRTUAL_APIC_TPR / sizeof(*page)];
		page[VIRTUAL_APIC_TPR / sizeof(*page)] = 0;
	}
	lapic->is_lent = false;
	lapic_update_pending(lapic);
}
