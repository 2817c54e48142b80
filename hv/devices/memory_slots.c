/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots for DIMMs: see memory_slots.h. The guest chooses when; the caller of the bus does it. */
#include "hv/devices/memory_slots.h"

#include "hv/lib/string.h"

void memory_slots_insert(struct memory_slots *slots, unsigned slot, const struct memory_slot *dimm,
			 bool is_news)
{
	struct memory_slot *to = memory_slots_at(slots, slot);

	*to = *dimm;
	to->flags = SLOT_ENABLED | (is_news ? SLOT_INSERTED : 0);
}

void memory_slots_ask(struct memory_slots *slots, unsigned slot)
{
	memory_slots_at(slots, slot)->flags |= SLOT_REMOVES;
}

int memory_slots_next_ejected(const struct memory_slots *slots)
{
	for (unsigned i = 0; i < slots->n; i++)
		if (memory_slots_at(slots, i)->is_ejected)
			return (int)i;
	return -1;
}

void memory_slots_clear(struct memory_slots *slots, unsigned slot)
{
	*memory_slots_at(slots, slot) = (struct memory_slot){0};
	slots->has_ejected = memory_slots_next_ejected(slots) >= 0;
}

/* NULL: the guest has selected one that does not exist. */
static struct memory_slot *selected(struct memory_slots *slots)
{
	return slots->selected < slots->n ? memory_slots_at(slots, slots->selected) : NULL;
}

static uint64_t slots_read(void *dev, const struct io_access *access)
{
	const struct memory_slot *slot = selected(dev);
	uint8_t registers[MEMORY_SLOTS_N_PORTS] = {0};
	uint64_t value = 0;

	if (slot == NULL)
		return 0;
	memcpy(registers + MEMORY_SLOTS_BASE, &slot->base, sizeof(slot->base));
	memcpy(registers + MEMORY_SLOTS_LEN, &slot->len, sizeof(slot->len));
	memcpy(registers + MEMORY_SLOTS_NODE, &slot->node, sizeof(slot->node));
	registers[MEMORY_SLOTS_FLAGS] = slot->flags;
	memcpy(&value, registers + access->off, access->size);
	return value;
}

/* A guest may give up any DIMM, whether it was asked to or not. */
static uint32_t eject(struct memory_slots *slots, struct memory_slot *slot)
{
	if (!(slot->flags & SLOT_ENABLED))
		return 0;
	slot->flags = 0;
	slot->is_ejected = true;
	__atomic_store_n(&slots->has_ejected, true, __ATOMIC_RELAXED);
	return WISH_EJECT;
}

static uint32_t slots_write(void *dev, const struct io_access *access)
{
	struct memory_slots *slots = dev;
	struct memory_slot *slot = selected(slots);

	if (access->off == MEMORY_SLOTS_SELECT && access->size == sizeof(uint32_t))
		slots->selected = (uint32_t)access->value;
	if (access->off != MEMORY_SLOTS_FLAGS || slot == NULL)
		return 0;
	slot->flags &= (uint8_t) ~(access->value & (SLOT_INSERTED | SLOT_REMOVES));
	return access->value & SLOT_EJECT ? eject(slots, slot) : 0;
}

static const struct state_field slots_fields[] = {
	STATE_FIELD(struct memory_slots, selected, UINT32_MAX),
	STATE_FIELD(struct memory_slots, has_ejected, true),
};

/* Where a DIMM is, the configuration says. */
static const struct state_field slot_fields[] = {
	STATE_FIELD(struct memory_slot, flags, SLOT_ENABLED | SLOT_INSERTED | SLOT_REMOVES),
	STATE_FIELD(struct memory_slot, is_ejected, true),
};

const struct device_class memory_slots_class = {
	.name = "memory-slots",
	.read = slots_read,
	.write = slots_write,
	.fields = slots_fields,
	.n_fields = ARRAY_SIZE(slots_fields),
	.since = 5,
};

const struct device_class memory_slot_class = {
	.name = "memory-slot",
	.fields = slot_fields,
	.n_fields = ARRAY_SIZE(slot_fields),
	.since = 5,
};
