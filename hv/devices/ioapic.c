/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APIC: 24 lines become messages (82093AA datasheet, and the EOI register of version 0x20).
 * A line is "asserted" or not; the polarity bit is stored for the guest to
 * read. An edge on a masked pin is lost, as the datasheet says. ExtINT and SMI go nowhere.
 */
#include "hv/devices/ioapic.h"

#include "hv/devices/irqchip.h"
#include "hv/lib/assert.h"

enum { PAGE_SELECT = 0x00, PAGE_WINDOW = 0x10, PAGE_EOI = 0x40 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_REDIR = 0x10 };

#define ID_BITS		0x0f000000u
#define REDIR_LOW_BITS	UINT64_C(0x1afff)
#define REDIR_HIGH_BITS BITS(63, 56)

void ioapic_reset(struct ioapic *ioapic)
{
	*ioapic = (struct ioapic){0};
	for (unsigned i = 0; i < IOAPIC_N_PINS; i++)
		ioapic->redir[i] = REDIR_MASKED;
}

/* Only what has a vector waits for an EOI. */
static bool redir_is_level(uint64_t entry)
{
	return (entry & REDIR_LEVEL) && REDIR_MODE(entry) <= DELIVER_LOWEST;
}

static void pin_fire(struct irqchip *chip, unsigned pin)
{
	uint64_t *entry = &chip->ioapic.redir[pin];
	bool level = redir_is_level(*entry);
	unsigned mode = REDIR_MODE(*entry);
	struct irq_message msg = {
		.dest = REDIR_DEST(*entry),
		.mode = (uint8_t)mode,
		.vector = *entry & REDIR_VECTOR,
		.logical = (*entry & REDIR_LOGICAL) != 0,
		.level = level,
	};

	if (*entry & REDIR_MASKED || (level && *entry & REDIR_REMOTE_IRR))
		return;
	if (mode > DELIVER_LOWEST && mode != DELIVER_NMI && mode != DELIVER_INIT)
		return;
	if (irqchip_deliver(chip, &msg) && level)
		*entry |= REDIR_REMOTE_IRR;
}

void ioapic_set_pin(struct irqchip *chip, unsigned pin, bool asserted)
{
	struct ioapic *ioapic = &chip->ioapic;
	uint32_t old = ioapic->asserted;

	assert(pin < IOAPIC_N_PINS);
	if (!asserted) {
		ioapic->asserted &= ~(uint32_t)BIT(pin);
		return;
	}
	ioapic->asserted |= (uint32_t)BIT(pin);
	/* A level that nobody accepted yet tries again. */
	if (ioapic->asserted != old || redir_is_level(ioapic->redir[pin]))
		pin_fire(chip, pin);
}

void ioapic_eoi(struct irqchip *chip, uint8_t vector)
{
	struct ioapic *ioapic = &chip->ioapic;

	for (unsigned pin = 0; pin < IOAPIC_N_PINS; pin++) {
		uint64_t *entry = &ioapic->redir[pin];

		if (!(*entry & REDIR_REMOTE_IRR) || (*entry & REDIR_VECTOR) != vector)
			continue;
		*entry &= ~REDIR_REMOTE_IRR;
		if (ioapic->asserted & BIT(pin))
			pin_fire(chip, pin);
	}
}

static uint32_t window_read(const struct ioapic *ioapic)
{
	unsigned redir = ioapic->select - REG_REDIR;

	switch (ioapic->select) {
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id;
	case REG_VERSION:
		return IOAPIC_VERSION;
	case REG_REDIR ... REG_REDIR + 2 * IOAPIC_N_PINS - 1:
		return (uint32_t)(ioapic->redir[redir / 2] >> (redir % 2 * 32));
	default:
		return 0;
	}
}

static void redir_write_low(struct irqchip *chip, unsigned pin, uint32_t value)
{
	uint64_t *entry = &chip->ioapic.redir[pin];

	*entry = (*entry & ~REDIR_LOW_BITS) | (value & REDIR_LOW_BITS);
	/* An edge has no remote IRR: switching to it is how software gets rid of one. */
	if (!redir_is_level(*entry))
		*entry &= ~REDIR_REMOTE_IRR;
	else if (chip->ioapic.asserted & BIT(pin))
		pin_fire(chip, pin);
}

static void window_write(struct irqchip *chip, uint32_t value)
{
	struct ioapic *ioapic = &chip->ioapic;
	unsigned redir = ioapic->select - REG_REDIR, pin = redir / 2;

	if (ioapic->select == REG_ID)
		ioapic->id = value & ID_BITS;
	if (ioapic->select < REG_REDIR || pin >= IOAPIC_N_PINS)
		return;
	if (redir % 2 == 0)
		redir_write_low(chip, pin, value);
	else
		ioapic->redir[pin] = (ioapic->redir[pin] & ~REDIR_HIGH_BITS) |
				     ((uint64_t)value << 32 & REDIR_HIGH_BITS);
}

uint64_t ioapic_mmio_read(const struct ioapic *ioapic, uint64_t off, unsigned size)
{
	unsigned byte = off & 15;
	uint32_t value = 0;

	if (byte + size > 4)
		return 0;
	if (off - byte == PAGE_SELECT)
		value = ioapic->select;
	else if (off - byte == PAGE_WINDOW)
		value = window_read(ioapic);
	return value >> (8 * byte);
}

void ioapic_mmio_write(struct irqchip *chip, uint64_t off, unsigned size, uint64_t value)
{
	if (off == PAGE_SELECT)
		chip->ioapic.select = (uint8_t)value;
	else if (off == PAGE_WINDOW && size == 4)
		window_write(chip, (uint32_t)value);
	else if (off == PAGE_EOI)
		ioapic_eoi(chip, (uint8_t)value);
}

static const struct state_field ioapic_fields[] = {
	STATE_FIELD(struct ioapic, select, 0xff),
	STATE_FIELD(struct ioapic, id, ID_BITS),
	STATE_FIELD(struct ioapic, asserted, BITS(IOAPIC_N_PINS - 1, 0)),
	STATE_ARRAY(struct ioapic, redir, REDIR_HIGH_BITS | REDIR_LOW_BITS | REDIR_REMOTE_IRR),
};

const struct device_class ioapic_class = {
	.name = "ioapic",
	.fields = ioapic_fields,
	.n_fields = ARRAY_SIZE(ioapic_fields),
};
