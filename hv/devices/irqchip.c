/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt bus between I/O APIC and local APICs: finds the targets of a message, and delivers
 * it. SDM vol. 3, "Determining IPI Destination" and "Logical Destination Mode in x2APIC Mode". An
 * IPI is accepted or lost immediately; the I/O APIC sends again what no APIC has accepted. The
 * PIC's interrupts do not travel on this bus: a vCPU that takes them asks the PIC for the vector.
 */
#include "hv/devices/irqchip.h"

#include "hv/lib/assert.h"

#define ICR_LOGICAL	 BIT(11)
#define ICR_ASSERT	 BIT(14)
#define ICR_LEVEL	 BIT(15)
#define ICR_SHORTHAND(i) ((unsigned)((i) >> 18 & 3))
enum { TO_DEST = 0, TO_SELF = 1, TO_ALL = 2, TO_OTHERS = 3 };

void irqchip_reset(struct irqchip *chip, const struct cpu_topology *topology, unsigned phys_bits)
{
	assert(topology->n_cpus >= 1 && topology->n_cpus <= TOPOLOGY_MAX_CPUS);
	*chip = (struct irqchip){.n = topology->n_cpus};
	for (unsigned i = 0; i < chip->n; i++)
		lapic_reset(irqchip_lapic(chip, i), i, topology_apic_id(topology, i), phys_bits);
	ioapic_reset(&chip->ioapic);
}

void irqchip_add_legacy(struct irqchip *chip, bool has_pic)
{
	struct irqchip_legacy *legacy = irqchip_legacy(chip);

	chip->has_legacy = true;
	*legacy = (struct irqchip_legacy){.has_pic = has_pic, .deadline = LAPIC_NO_DEADLINE};
	pic_reset(&legacy->pic);
	if (has_pic)
		chip->lapic[0].lvt[LVT_LINT0] = DELIVER_EXTINT << 8;
}

static bool has_pic(struct irqchip *chip)
{
	return chip->has_legacy && irqchip_legacy(chip)->has_pic;
}

int irqchip_take_kick(struct irqchip *chip)
{
	for (unsigned i = 0; chip->kicked && i < chip->n; i++) {
		struct lapic *lapic = irqchip_lapic(chip, i);

		if (!lapic->kicked)
			continue;
		lapic->kicked = false;
		return (int)i;
	}
	chip->kicked = false;
	return -1;
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
	case 0xf: /* flat model */
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
	return msg->dest == (lapic_is_x2apic(lapic) ? lapic->id : lapic->xapic_id);
}

/* Which APICs a message is for. */
enum targets { TARGET_NAMED, TARGET_SELF, TARGET_ALL, TARGET_OTHERS };

static bool is_target(const struct lapic *lapic, enum targets targets, const struct lapic *from,
		      const struct irq_message *msg)
{
	switch (targets) {
	case TARGET_NAMED:
		return matches(lapic, msg);
	case TARGET_SELF:
		return lapic == from;
	case TARGET_ALL:
		return true;
	case TARGET_OTHERS:
		return lapic != from;
	}
	return false;
}

/*
 * The target with the lowest priority; targets of equal priority take turns. NULL: no target can
 * take the message.
 */
static struct lapic *choose_lowest(struct irqchip *chip, enum targets targets,
				   const struct lapic *from, const struct irq_message *msg)
{
	struct lapic *best = NULL;

	for (unsigned i = 0; i < chip->n; i++) {
		struct lapic *lapic = irqchip_lapic(chip, (chip->next_lowest + i) % chip->n);

		if (!is_target(lapic, targets, from, msg) || !lapic_is_enabled(lapic) ||
		    !(lapic->svr & SVR_ENABLE))
			continue;
		if (best == NULL || lapic_ppr(lapic) < lapic_ppr(best))
			best = lapic;
	}
	if (best != NULL)
		chip->next_lowest = (best->index + 1u) % chip->n;
	return best;
}

static bool deliver(struct irqchip *chip, struct lapic *lapic, const struct irq_message *msg)
{
	bool accepted = lapic_deliver(lapic, msg->mode, msg->vector, msg->level);

	chip->kicked |= lapic->kicked;
	return accepted;
}

/*
 * Deliver to every target or, with DELIVER_LOWEST, to one of them. False: no APIC accepted the
 * message.
 */
static bool deliver_to(struct irqchip *chip, enum targets targets, const struct lapic *from,
		       const struct irq_message *msg)
{
	bool accepted = false;

	if (msg->mode == DELIVER_LOWEST) {
		struct lapic *lapic = choose_lowest(chip, targets, from, msg);

		return lapic != NULL && deliver(chip, lapic, msg);
	}
	for (unsigned i = 0; i < chip->n; i++)
		if (is_target(irqchip_lapic(chip, i), targets, from, msg))
			accepted |= deliver(chip, irqchip_lapic(chip, i), msg);
	return accepted;
}

static struct ioapic *own_ioapic(struct irqchip *chip)
{
	ioapic_own(&chip->ioapic);
	return &chip->ioapic;
}

/* Send the messages of these pins of the I/O APIC, which is the chip's own. */
static void fire(struct irqchip *chip, uint32_t pins)
{
	for (; pins != 0; pins &= pins - 1) {
		unsigned pin = (unsigned)__builtin_ctz(pins);
		struct irq_message msg;

		if (ioapic_message(&chip->ioapic, pin, &msg) &&
		    deliver_to(chip, TARGET_NAMED, NULL, &msg))
			ioapic_accepted(&chip->ioapic, pin);
	}
}

/*
 * Whether the local APIC passes the PIC's interrupts on. A processor whose APIC is off takes them
 * directly.
 */
static bool takes_extint(const struct irqchip *chip, const struct lapic *lapic)
{
	uint32_t lvt = lapic->lvt[LVT_LINT0];
	struct irq_message msg;

	if (lapic->index == 0 &&
	    (!lapic_is_enabled(lapic) || (!(lvt & LVT_MASKED) && LVT_MODE(lvt) == DELIVER_EXTINT)))
		return true;
	return ioapic_extint(&chip->ioapic, IOAPIC_PIC_PIN, &msg) && matches(lapic, &msg);
}

void irqchip_update_intr(struct irqchip *chip)
{
	bool old = chip->intr;

	chip->intr = pic_has_interrupt(&irqchip_legacy(chip)->pic);
	if (chip->intr && !old)
		lapic_local_interrupt(&chip->lapic[0], LVT_LINT0);
	for (unsigned i = 0; i < chip->n; i++) {
		struct lapic *lapic = irqchip_lapic(chip, i);

		lapic_set_extint(lapic, chip->intr && takes_extint(chip, lapic));
		chip->kicked |= lapic->kicked;
	}
}

static unsigned pic_line(unsigned gsi)
{
	return gsi == IRQCHIP_TIMER_GSI ? 0 : gsi;
}

void irqchip_set_irq(struct irqchip *chip, unsigned gsi, bool level)
{
	fire(chip, ioapic_set_pin(own_ioapic(chip), gsi, level));
	if (gsi >= PIC_N_LINES || !has_pic(chip))
		return;
	pic_set_line(&irqchip_legacy(chip)->pic, pic_line(gsi), level);
	irqchip_update_intr(chip);
}

bool irqchip_is_open(struct irqchip *chip, unsigned gsi)
{
	return !(own_ioapic(chip)->redir[gsi] & REDIR_MASKED) ||
	       (has_pic(chip) && pic_is_open(&irqchip_legacy(chip)->pic, pic_line(gsi)));
}

uint8_t irqchip_accept(struct irqchip *chip, struct lapic *lapic)
{
	int vector = lapic_pending_vector(lapic);

	if (vector == LAPIC_EXTINT) {
		vector = pic_acknowledge(&irqchip_legacy(chip)->pic);
		irqchip_update_intr(chip);
	} else {
		lapic_accept(lapic, (uint8_t)vector);
	}
	return (uint8_t)vector;
}

void irqchip_take_back(struct irqchip *chip, struct lapic *lapic, uint8_t vector)
{
	if (lapic_take_back(lapic, vector) || !has_pic(chip))
		return;
	pic_take_back(&irqchip_legacy(chip)->pic, vector);
	irqchip_update_intr(chip);
}

uint64_t irqchip_next_deadline(struct lapic *lapic)
{
	uint64_t deadline = lapic_next_deadline(lapic);
	struct irqchip *chip;

	if (lapic->index != 0)
		return deadline;
	chip = (struct irqchip *)((char *)lapic - offsetof(struct irqchip, lapic));
	if (chip->has_legacy && irqchip_legacy(chip)->deadline < deadline)
		return irqchip_legacy(chip)->deadline;
	return deadline;
}

void irqchip_signal(struct irqchip *chip, unsigned gsi)
{
	struct pic *pic = &irqchip_legacy(chip)->pic;

	fire(chip, ioapic_signal(own_ioapic(chip), gsi));
	if (gsi >= PIC_N_LINES || !has_pic(chip))
		return;
	pic_set_line(pic, pic_line(gsi), true);
	pic_set_line(pic, pic_line(gsi), false);
	irqchip_update_intr(chip);
}

/* SDM vol. 3, "Interrupt Command Register (ICR)": a processor sends itself only interrupts. */
static bool ipi_is_valid(const struct irq_message *msg, uint64_t icr)
{
	/* "INIT level de-assert" only synchronised the arbitration IDs of old processors. */
	if (msg->mode == DELIVER_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
		return false;
	return ICR_SHORTHAND(icr) != TO_SELF || msg->mode == DELIVER_FIXED;
}

/* 'icr' has the destination in 63:32 (x2APIC) or 63:56 (xAPIC). */
static void send_ipi(struct irqchip *chip, struct lapic *from, uint64_t icr)
{
	bool wide = lapic_is_x2apic(from);
	struct irq_message msg = {
		.dest = (uint32_t)(wide ? icr >> 32 : icr >> 56),
		.mode = icr >> 8 & 7,
		.vector = (uint8_t)icr,
		.logical = (icr & ICR_LOGICAL) != 0,
		.wide = wide,
	};
	static const enum targets targets[] = {
		[TO_DEST] = TARGET_NAMED,
		[TO_SELF] = TARGET_SELF,
		[TO_ALL] = TARGET_ALL,
		[TO_OTHERS] = TARGET_OTHERS,
	};

	if ((msg.mode == DELIVER_FIXED || msg.mode == DELIVER_LOWEST) && msg.vector < 16) {
		lapic_error(from, ESR_SEND_VECTOR);
		return;
	}
	if (ipi_is_valid(&msg, icr))
		deliver_to(chip, targets[ICR_SHORTHAND(icr)], from, &msg);
}

void irqchip_complete(struct irqchip *chip, struct lapic *lapic, uint32_t effect)
{
	if (effect & LAPIC_EOI)
		fire(chip, ioapic_eoi(own_ioapic(chip), effect & LAPIC_VECTOR));
	if (effect & LAPIC_ENABLED)
		fire(chip, ioapic_retry(own_ioapic(chip)));
	if (effect & LAPIC_LINES && has_pic(chip))
		irqchip_update_intr(chip);
	if (effect & LAPIC_SELF_IPI)
		send_ipi(chip, lapic, (uint64_t)TO_SELF << 18 | (effect & LAPIC_VECTOR));
	if (effect & LAPIC_SEND_ICR)
		send_ipi(chip, lapic, lapic->icr);
}

static uint64_t irqchip_read(void *dev, const struct io_access *access)
{
	struct irqchip *chip = dev;

	return ioapic_read(own_ioapic(chip), access);
}

static uint32_t irqchip_write(void *dev, const struct io_access *access)
{
	struct irqchip *chip = dev;

	fire(chip, ioapic_write(own_ioapic(chip), access));
	if (has_pic(chip))
		irqchip_update_intr(chip);
	return 0;
}

static enum status irqchip_check(void *dev, struct state_reader *reader)
{
	const struct irqchip *chip = dev;

	if (chip->next_lowest >= chip->n)
		return state_refuse(reader, "next_lowest cannot be %u", chip->next_lowest);
	return OK;
}

static const struct state_field irqchip_fields[] = {
	STATE_FIELD(struct irqchip, next_lowest, 0xff),
	STATE_FIELD(struct irqchip, kicked, 1),
};

const struct device_class irqchip_class = {
	.name = "irqchip",
	.read = irqchip_read,
	.write = irqchip_write,
	.fields = irqchip_fields,
	.n_fields = ARRAY_SIZE(irqchip_fields),
	.check = irqchip_check,
};
