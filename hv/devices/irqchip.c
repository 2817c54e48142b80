/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt bus between I/O APIC and local APICs: who is meant by a
 * message. SDM vol. 3, "Determining IPI Destination" and "Logical Destination
 * Mode in x2APIC Mode". A message never waits: it is accepted or lost at once.
 */
#include "hv/devices/irqchip.h"

#include "hv/assert.h"

#define ICR_LOGICAL	 BIT(11)
#define ICR_ASSERT	 BIT(14)
#define ICR_LEVEL	 BIT(15)
#define ICR_SHORTHAND(i) ((unsigned)((i) >> 18 & 3))
enum { TO_DEST = 0, TO_SELF = 1, TO_ALL = 2, TO_OTHERS = 3 };

_Static_assert(ICR_SELF == (uint64_t)TO_SELF << 18, "the self shorthand");

void irqchip_reset(struct irqchip *chip, unsigned n_cpus, unsigned phys_bits)
{
	assert(n_cpus >= 1 && n_cpus <= IRQCHIP_MAX_CPUS);
	*chip = (struct irqchip){.n = n_cpus};
	for (unsigned i = 0; i < n_cpus; i++)
		lapic_reset(&chip->lapic[i], i, phys_bits);
	ioapic_reset(&chip->ioapic);
}

void irqchip_set_irq(struct irqchip *chip, unsigned gsi, bool level)
{
	ioapic_set_pin(chip, gsi, level);
}

uint32_t irqchip_take_kicks(struct irqchip *chip)
{
	uint32_t kicks = chip->kicks;

	chip->kicks = 0;
	return kicks;
}

static bool matches_logical(const struct lapic *lapic, uint32_t dest)
{
	uint32_t ldr = lapic_get_ldr(lapic);

	if (lapic_is_x2apic(lapic))
		return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff) != 0;
	if (dest > 0xff)
		return false;
	ldr >>= 24;
	switch (lapic->dfr >> 28) {
	case 0xf: /* flat */
		return (dest & ldr) != 0;
	case 0: /* clusters of four */
		return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf) != 0;
	default:
		return false;
	}
}

static bool matches(const struct lapic *lapic, const struct irq_message *msg)
{
	if (msg->dest == (msg->wide ? UINT32_MAX : 0xff))
		return true;
	if (msg->logical)
		return matches_logical(lapic, msg->dest);
	return msg->dest == (lapic_is_x2apic(lapic) ? lapic->index : lapic->xapic_id);
}

/* The one of 'targets' with the lowest priority; those that are equal take turns. */
static uint32_t choose_lowest(struct irqchip *chip, uint32_t targets)
{
	const struct lapic *best = NULL;

	for (unsigned i = 0; i < chip->n; i++) {
		const struct lapic *lapic = &chip->lapic[(chip->next_lowest + i) % chip->n];

		if (!(targets & BIT(lapic->index)) || !lapic_is_enabled(lapic) ||
		    !(lapic->svr & SVR_ENABLE))
			continue;
		if (best == NULL || lapic_ppr(lapic) < lapic_ppr(best))
			best = lapic;
	}
	if (best == NULL)
		return 0;
	chip->next_lowest = (best->index + 1) % chip->n;
	return (uint32_t)BIT(best->index);
}

static bool deliver_to(struct irqchip *chip, uint32_t targets, const struct irq_message *msg)
{
	bool accepted = false;

	if (msg->mode == DELIVER_LOWEST)
		targets = choose_lowest(chip, targets);
	for (unsigned i = 0; i < chip->n; i++)
		if (targets & BIT(i))
			accepted |=
				lapic_deliver(&chip->lapic[i], msg->mode, msg->vector, msg->level);
	return accepted;
}

static uint32_t find_targets(const struct irqchip *chip, const struct irq_message *msg)
{
	uint32_t targets = 0;

	for (unsigned i = 0; i < chip->n; i++)
		if (matches(&chip->lapic[i], msg))
			targets |= (uint32_t)BIT(i);
	return targets;
}

bool irqchip_deliver(struct irqchip *chip, const struct irq_message *msg)
{
	return deliver_to(chip, find_targets(chip, msg), msg);
}

void irqchip_send_ipi(struct irqchip *chip, struct lapic *from, uint64_t icr, bool wide)
{
	struct irq_message msg = {
		.dest = (uint32_t)(wide ? icr >> 32 : icr >> 56),
		.mode = icr >> 8 & 7,
		.vector = (uint8_t)icr,
		.logical = (icr & ICR_LOGICAL) != 0,
		.wide = wide,
	};
	uint32_t all = (uint32_t)(BIT(chip->n) - 1), self = (uint32_t)BIT(from->index);

	if ((msg.mode == DELIVER_FIXED || msg.mode == DELIVER_LOWEST) && msg.vector < 16) {
		lapic_error(from, ESR_SEND_VECTOR);
		return;
	}
	/* "INIT level de-assert" only synchronised the arbitration IDs of old. */
	if (msg.mode == DELIVER_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
		return;
	switch (ICR_SHORTHAND(icr)) {
	case TO_DEST:
		irqchip_deliver(chip, &msg);
		break;
	case TO_SELF:
		deliver_to(chip, self, &msg);
		break;
	case TO_ALL:
		deliver_to(chip, all, &msg);
		break;
	case TO_OTHERS:
		deliver_to(chip, all & ~self, &msg);
		break;
	}
}
