/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APIC: 24 lines become messages (82093AA datasheet, and the EOI register of version 0x20). A
 * line is asserted or not; the polarity bit is stored only for the guest to read. An edge on a
 * masked pin is lost, as the datasheet says; one that no APIC accepts waits. SMI is dropped, and so
 * is ExtINT, except for the PIC's pin.
 */
#include "hv/devices/ioapic.h"

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

/* Only interrupts with a vector wait for an EOI. */
static bool redir_is_level(uint64_t entry)
{
	return (entry & REDIR_LEVEL) && REDIR_MODE(entry) <= DELIVER_LOWEST;
}

bool ioapic_message(const struct ioapic *ioapic, unsigned pin, struct irq_message *ret)
{
	uint64_t entry = ioapic->redir[pin];
	unsigned mode = REDIR_MODE(entry);
	bool level = redir_is_level(entry);

	if (entry & REDIR_MASKED || (level && entry & REDIR_REMOTE_IRR))
		return false;
	if (mode > DELIVER_LOWEST && mode != DELIVER_NMI && mode != DELIVER_INIT)
		return false;
	*ret = (struct irq_message){
		.dest = REDIR_DEST(entry),
		.mode = (uint8_t)mode,
		.vector = entry & REDIR_VECTOR,
		.logical = (entry & REDIR_LOGICAL) != 0,
		.level = level,
	};
	return true;
}

bool ioapic_extint(const struct ioapic *ioapic, unsigned pin, struct irq_message *ret)
{
	uint64_t entry = ioapic->redir[pin];

	if (entry & REDIR_MASKED || REDIR_MODE(entry) != DELIVER_EXTINT)
		return false;
	*ret = (struct irq_message){
		.dest = REDIR_DEST(entry),
		.logical = (entry & REDIR_LOGICAL) != 0,
	};
	return true;
}

void ioapic_accepted(struct ioapic *ioapic, unsigned pin)
{
	ioapic->waiting &= ~(uint32_t)BIT(pin);
	if (redir_is_level(ioapic->redir[pin]))
		ioapic->redir[pin] |= REDIR_REMOTE_IRR;
}

uint32_t ioapic_set_pin(struct ioapic *ioapic, unsigned pin, bool asserted)
{
	uint32_t bit = (uint32_t)BIT(pin), old = ioapic->asserted;
	struct irq_message msg;

	assert(pin < IOAPIC_N_PINS);
	if (!asserted) {
		ioapic->asserted &= ~bit;
		return 0;
	}
	ioapic->asserted |= bit;
	/* A level that no APIC has accepted yet is sent again. */
	if (redir_is_level(ioapic->redir[pin]))
		return bit;
	if (ioapic->asserted != old && ioapic_message(ioapic, pin, &msg))
		ioapic->waiting |= bit;
	return ioapic->waiting & bit;
}

uint32_t ioapic_signal(struct ioapic *ioapic, unsigned pin)
{
	assert(pin < IOAPIC_N_PINS);
	ioapic->waiting |= (uint32_t)BIT(pin);
	return (uint32_t)BIT(pin);
}

/* The pins of 'pins' that have something to send, if their entries allow it. */
static uint32_t due(const struct ioapic *ioapic, uint32_t pins)
{
	uint32_t levels = 0;

	for (unsigned pin = 0; pin < IOAPIC_N_PINS; pin++)
		if (redir_is_level(ioapic->redir[pin]))
			levels |= (uint32_t)BIT(pin);
	return pins & ((ioapic->asserted & levels) | ioapic->waiting);
}

uint32_t ioapic_retry(const struct ioapic *ioapic)
{
	return due(ioapic, UINT32_MAX);
}

uint32_t ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	uint32_t ended = 0;

	for (unsigned pin = 0; pin < IOAPIC_N_PINS; pin++) {
		uint64_t *entry = &ioapic->redir[pin];

		if (!(*entry & REDIR_REMOTE_IRR) || (*entry & REDIR_VECTOR) != vector)
			continue;
		*entry &= ~REDIR_REMOTE_IRR;
		ended |= (uint32_t)BIT(pin);
	}
	return due(ioapic, ended);
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

static void redir_write_low(uint64_t *entry, uint32_t value)
{
	*entry = (*entry & ~REDIR_LOW_BITS) | (value & REDIR_LOW_BITS);
	/*
	 * An edge-triggered pin has no remote IRR: software clears a remote IRR by switching to
	 * edge.
	 */
	if (!redir_is_level(*entry))
		*entry &= ~REDIR_REMOTE_IRR;
}

static void redir_write_high(uint64_t *entry, uint32_t value)
{
	*entry = (*entry & ~REDIR_HIGH_BITS) | ((uint64_t)value << 32 & REDIR_HIGH_BITS);
}

static uint32_t window_write(struct ioapic *ioapic, uint32_t value)
{
	unsigned redir = ioapic->select - REG_REDIR, pin = redir / 2;

	if (ioapic->select == REG_ID)
		ioapic->id = value & ID_BITS;
	if (ioapic->select < REG_REDIR || pin >= IOAPIC_N_PINS)
		return 0;
	if (redir % 2 == 0)
		redir_write_low(&ioapic->redir[pin], value);
	else
		redir_write_high(&ioapic->redir[pin], value);
	return due(ioapic, (uint32_t)BIT(pin));
}

uint64_t ioapic_read(const struct ioapic *ioapic, const struct io_access *access)
{
	unsigned byte = access->off & 15;
	uint32_t value = 0;

	if (byte + access->size > 4)
		return 0;
	if (access->off - byte == PAGE_SELECT)
		value = ioapic->select;
	else if (access->off - byte == PAGE_WINDOW)
		value = window_read(ioapic);
	return value >> (8 * byte);
}

uint32_t ioapic_write(struct ioapic *ioapic, const struct io_access *access)
{
	if (access->off == PAGE_SELECT)
		ioapic->select = (uint8_t)access->value;
	else if (access->off == PAGE_WINDOW && access->size == 4)
		return window_write(ioapic, (uint32_t)access->value);
	else if (access->off == PAGE_EOI)
		return ioapic_eoi(ioapic, (uint8_t)access->value);
	return 0;
}

static const struct state_field ioapic_fields[] = {
	STATE_FIELD(struct ioapic, select, 0xff),
	STATE_FIELD(struct ioapic, id, ID_BITS),
	STATE_FIELD(struct ioapic, asserted, BITS(IOAPIC_N_PINS - 1, 0)),
	STATE_FIELD_SINCE(3, struct ioapic, waiting, BITS(IOAPIC_N_PINS - 1, 0)),
	STATE_ARRAY(struct ioapic, redir, REDIR_HIGH_BITS | REDIR_LOW_BITS | REDIR_REMOTE_IRR),
};

const struct device_class ioapic_class = {
	.name = "ioapic",
	.fields = ioapic_fields,
	.n_fields = ARRAY_SIZE(ioapic_fields),
};
