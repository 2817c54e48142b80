/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC: interrupt state and priorities, delivery, reset. The registers are in lapic_regs.c,
 * the timer in lapic_timer.c.
 *
 * 'pending' caches the highest vector that may be injected. lapic_update_pending() recomputes it
 * after every change of IRR, ISR or TPR, so that VM entry reads one word. SMI is dropped: there is
 * no SMM. ExtINT is not a message, see irqchip.c.
 */
#include "hv/devices/lapic.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define FIRST_LEGAL_VECTOR 16

static void vector_set(uint64_t map[4], uint8_t vector)
{
	map[vector / 64] |= BIT(vector % 64);
}

static void vector_clear(uint64_t map[4], uint8_t vector)
{
	map[vector / 64] &= ~BIT(vector % 64);
}

static bool vector_test(const uint64_t map[4], uint8_t vector)
{
	return (map[vector / 64] & BIT(vector % 64)) != 0;
}

/* -1: none is set. */
static int vector_highest(const uint64_t map[4])
{
	for (int word = 3; word >= 0; word--)
		if (map[word] != 0)
			return word * 64 + 63 - __builtin_clzll(map[word]);
	return -1;
}

/* SDM vol. 3, "Task and Processor Priorities". */
uint8_t lapic_ppr(const struct lapic *lapic)
{
	int in_service = vector_highest(lapic->isr);

	if (in_service < 0 || (lapic->tpr & 0xf0) >= (in_service & 0xf0))
		return lapic->tpr;
	return (uint8_t)(in_service & 0xf0);
}

void lapic_update_pending(struct lapic *lapic)
{
	int vector = vector_highest(lapic->irr);

	if (vector >= 0 && vector >> 4 <= lapic_ppr(lapic) >> 4)
		vector = -1;
	if (lapic->extint)
		vector = LAPIC_EXTINT;
	lapic->pending = (int16_t)vector;
}

static void lapic_request(struct lapic *lapic, uint8_t vector, bool level)
{
	vector_set(lapic->irr, vector);
	if (level)
		vector_set(lapic->tmr, vector);
	else
		vector_clear(lapic->tmr, vector);
	lapic_update_pending(lapic);
	/* What is lent, and seems to be in the way, may be no longer in service. */
	if (lapic->pending >= 0 || lapic->is_lent)
		lapic->kicked = true;
}

static void lapic_clear_registers(struct lapic *lapic)
{
	memset(lapic->irr, 0, sizeof(lapic->irr));
	memset(lapic->isr, 0, sizeof(lapic->isr));
	memset(lapic->tmr, 0, sizeof(lapic->tmr));
	lapic->pending = -1;
	lapic->extint = false;
	lapic->tpr = 0;
	lapic->divide = 0;
	lapic->divide_shift = 1;
	lapic->deadline = LAPIC_NO_DEADLINE;
	lapic->icr = 0;
	lapic->ldr = 0;
	lapic->dfr = UINT32_MAX;
	lapic->svr = 0xff;
	lapic->esr = 0;
	lapic->esr_pending = 0;
	lapic->timer_initial = 0;
	for (unsigned i = 0; i < N_LVT; i++)
		lapic->lvt[i] = LVT_MASKED;
}

void lapic_reset(struct lapic *lapic, unsigned index, uint32_t id, unsigned phys_bits)
{
	assert(index < TOPOLOGY_MAX_CPUS && phys_bits >= 32 && phys_bits <= 52);
	*lapic = (struct lapic){
		.index = (uint8_t)index,
		.phys_bits = (uint8_t)phys_bits,
		.id = id,
		.xapic_id = id & 0xff,
		.base = APIC_BASE_ADDR | APIC_BASE_EN | (index == 0 ? APIC_BASE_BSP : 0),
	};
	lapic_clear_registers(lapic);
}

void lapic_init(struct lapic *lapic)
{
	lapic_clear_registers(lapic);
	lapic->init_pending = false;
	lapic->nmis_pending = 0;
}

void lapic_disable(struct lapic *lapic)
{
	lapic_clear_registers(lapic);
	lapic->xapic_id = lapic->id & 0xff;
}

void lapic_accept(struct lapic *lapic, uint8_t vector)
{
	assert(vector_test(lapic->irr, vector));
	vector_clear(lapic->irr, vector);
	vector_set(lapic->isr, vector);
	lapic_update_pending(lapic);
}

bool lapic_take_back(struct lapic *lapic, uint8_t vector)
{
	if (!vector_test(lapic->isr, vector))
		return false;
	vector_clear(lapic->isr, vector);
	vector_set(lapic->irr, vector);
	lapic_update_pending(lapic);
	return true;
}

void lapic_set_extint(struct lapic *lapic, bool pending)
{
	if (pending == lapic->extint)
		return;
	lapic->extint = pending;
	lapic_update_pending(lapic);
	lapic->kicked |= pending;
}

uint32_t lapic_eoi(struct lapic *lapic)
{
	int vector = vector_highest(lapic->isr);

	if (vector < 0)
		return 0;
	vector_clear(lapic->isr, (uint8_t)vector);
	lapic_update_pending(lapic);
	return vector_test(lapic->tmr, (uint8_t)vector) ? LAPIC_EOI | (uint32_t)vector : 0;
}

void lapic_set_tpr(struct lapic *lapic, uint8_t tpr)
{
	lapic->tpr = tpr;
	lapic->uses_tpr |= tpr != 0;
	lapic_update_pending(lapic);
}

void lapic_set_cr8(struct lapic *lapic, uint64_t value)
{
	lapic_set_tpr(lapic, (uint8_t)(value << 4));
}

void lapic_error(struct lapic *lapic, uint32_t esr_bit)
{
	if (lapic->esr_pending & esr_bit)
		return;
	lapic->esr_pending |= esr_bit;
	lapic_local_interrupt(lapic, LVT_ERROR);
}

/* The modes that need no vector. False: an unsupported mode. */
static bool lapic_deliver_event(struct lapic *lapic, unsigned mode, uint8_t vector)
{
	switch (mode) {
	case DELIVER_NMI:
		lapic_hold_nmi(lapic);
		break;
	case DELIVER_INIT:
		lapic->init_pending = true;
		lapic->sipi_pending = false;
		break;
	case DELIVER_SIPI:
		/* The first SIPI starts the processor; later ones find the processor running. */
		if (!lapic->sipi_pending)
			lapic->sipi_vector = vector;
		lapic->sipi_pending = true;
		break;
	default:
		return false;
	}
	lapic->kicked = true;
	return true;
}

bool lapic_deliver(struct lapic *lapic, unsigned mode, uint8_t vector, bool level)
{
	if (!lapic_is_enabled(lapic))
		return false;
	if (mode != DELIVER_FIXED && mode != DELIVER_LOWEST)
		return lapic_deliver_event(lapic, mode, vector);
	if (!(lapic->svr & SVR_ENABLE))
		return false;
	if (vector < FIRST_LEGAL_VECTOR) {
		lapic_error(lapic, ESR_RECEIVE_VECTOR);
		return false;
	}
	lapic_request(lapic, vector, level);
	return true;
}

void lapic_local_interrupt(struct lapic *lapic, enum lapic_lvt source)
{
	uint32_t lvt = lapic->lvt[source];
	unsigned mode = LVT_MODE(lvt); /* always fixed for timer and error */

	if (lvt & LVT_MASKED || mode == DELIVER_LOWEST || mode == DELIVER_SIPI)
		return;
	/* SDM vol. 3, "Local Vector Table": the performance entry masks itself. */
	if (source == LVT_PERF)
		lapic->lvt[source] |= LVT_MASKED;
	lapic_deliver(lapic, mode, lvt & LVT_VECTOR, false);
}

/* SDM vol. 3, "APIC Timer": a periodic timer without a count does not run. */
static bool timer_is_possible(const struct lapic *lapic)
{
	bool is_periodic = (lapic->lvt[LVT_TIMER] >> 17 & 3) == 1;

	return !is_periodic || lapic->timer_initial != 0 || lapic->deadline == LAPIC_NO_DEADLINE;
}

static enum status lapic_check(void *dev, struct state_reader *reader)
{
	struct lapic *lapic = dev;

	if (lapic_is_x2apic(lapic) && !lapic_is_enabled(lapic))
		return state_refuse(reader, "is an x2APIC but disabled");
	if (lapic->base >> lapic->phys_bits)
		return state_refuse(reader, "is at an impossible address");
	if (lapic->irr[0] & (BIT(FIRST_LEGAL_VECTOR) - 1))
		return state_refuse(reader, "has an illegal vector");
	if (lapic->nmis_pending > LAPIC_NMIS_MAX)
		return state_refuse(reader, "cannot hold %u NMIs", lapic->nmis_pending);
	if (!timer_is_possible(lapic))
		return state_refuse(reader, "has a timer without a period");
	lapic->uses_tpr = lapic->tpr != 0;
	lapic_update_pending(lapic);
	return OK;
}

/* 'pending' and 'uses_tpr' are computed from these. */
static const struct state_field lapic_fields[] = {
	STATE_FIELD(struct lapic, nmis_pending, 3),
	STATE_FIELD(struct lapic, init_pending, 1),
	STATE_FIELD(struct lapic, sipi_pending, 1),
	STATE_FIELD(struct lapic, sipi_vector, 0xff),
	STATE_FIELD(struct lapic, kicked, 1),
	STATE_FIELD(struct lapic, tpr, 0xff),
	STATE_FIELD(struct lapic, divide, 0xb),
	STATE_FIELD(struct lapic, divide_shift, 7),
	STATE_FIELD(struct lapic, base,
		    BITS(51, 12) | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN),
	STATE_FIELD(struct lapic, deadline, UINT64_MAX),
	STATE_ARRAY(struct lapic, irr, UINT64_MAX),
	STATE_ARRAY(struct lapic, isr, UINT64_MAX),
	STATE_ARRAY(struct lapic, tmr, UINT64_MAX),
	STATE_FIELD(struct lapic, icr, UINT64_MAX),
	STATE_FIELD(struct lapic, xapic_id, 0xff),
	STATE_FIELD(struct lapic, ldr, 0xff000000),
	STATE_FIELD(struct lapic, dfr, UINT32_MAX),
	STATE_FIELD(struct lapic, svr, 0x3ff),
	STATE_FIELD(struct lapic, esr, 0xff),
	STATE_FIELD(struct lapic, esr_pending, 0xff),
	STATE_FIELD(struct lapic, timer_initial, UINT32_MAX),
	STATE_FIELD(struct lapic, lvt[LVT_TIMER], 0x700ff),
	STATE_FIELD(struct lapic, lvt[LVT_THERMAL], 0x107ff),
	STATE_FIELD(struct lapic, lvt[LVT_PERF], 0x107ff),
	STATE_FIELD(struct lapic, lvt[LVT_LINT0], 0x1a7ff),
	STATE_FIELD(struct lapic, lvt[LVT_LINT1], 0x1a7ff),
	STATE_FIELD(struct lapic, lvt[LVT_ERROR], 0x100ff),
};

const struct device_class lapic_class = {
	.name = "lapic",
	.fields = lapic_fields,
	.n_fields = ARRAY_SIZE(lapic_fields),
	.check = lapic_check,
};
