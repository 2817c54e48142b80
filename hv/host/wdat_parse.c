/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the ACPI table WDAT. All that wdat_run() relies on is checked here: sizes, shifts and
 * addresses of the registers. Source: Microsoft, "Hardware Watchdog Timers Design Specification".
 */
#include "hv/host/wdat_parse.h"

#include "hv/lib/string.h"

enum {
	FLAG_ENABLED = 1 << 0,
	PCI_SEGMENT_NONE = 0xff,
	INSTRUCTION_LAST = WDAT_WRITE_COUNTDOWN,
	/* Index and data of the real-time clock, whose index another program may change in between.
	 */
	RTC_PORT_FIRST = 0x70,
	RTC_PORT_LAST = 0x77,
	PORTS_END = 0x10000,
};

struct table {
	uint8_t header[36]; /* ACPI's */
	uint32_t header_len;
	uint16_t pci_segment;
	uint8_t pci_place[6];
	uint32_t period_ms, max_count, min_count;
	uint8_t flags;
	uint8_t reserved[3];
	uint32_t n_entries;
} __attribute__((packed));

struct entry {
	uint8_t action, instruction;
	uint16_t reserved;
	uint8_t space, bit_width, bit_offset, access_size; /* Generic Address Structure */
	uint64_t address;
	uint32_t value, mask;
} __attribute__((packed));

_Static_assert(sizeof(struct table) == 68 && sizeof(struct entry) == 24, "WDAT");

/* Bytes; 0 if it is none that is used here. */
static uint8_t access_size(const struct entry *entry)
{
	static const uint8_t sizes[] = {0, 1, 2, 4};

	if (entry->access_size != 0)
		return entry->access_size < sizeof(sizes) ? sizes[entry->access_size] : 0;
	/* Not told: that of the whole register. */
	if (entry->bit_width == 8 || entry->bit_width == 16 || entry->bit_width == 32)
		return entry->bit_width / 8;
	return 0;
}

static bool is_place(const struct entry *entry, uint8_t size)
{
	uint64_t address = entry->address;

	if (entry->space == ACPI_SPACE_MEMORY)
		return address != 0 && address % size == 0;
	return entry->space == ACPI_SPACE_IO && address < PORTS_END &&
	       address + size <= PORTS_END &&
	       (address + size <= RTC_PORT_FIRST || address > RTC_PORT_LAST);
}

static bool read_entry(const struct entry *entry, struct wdat_step *ret)
{
	uint8_t size = access_size(entry);

	if (size == 0 || !is_place(entry, size) || entry->bit_offset >= 8 * size ||
	    (entry->instruction & ~WDAT_PRESERVE) > INSTRUCTION_LAST)
		return false;
	*ret = (struct wdat_step){
		.action = entry->action,
		.instruction = entry->instruction,
		.size = size,
		.shift = entry->bit_offset,
		.reg = {(enum acpi_space)entry->space, entry->address},
		.value = entry->value,
		.mask = entry->mask,
	};
	return true;
}

static bool has_what_is_needed(const struct wdat *wdat)
{
	return wdat_has(wdat, WDAT_RESET) && wdat_has(wdat, WDAT_SET_COUNTDOWN) &&
	       wdat_has(wdat, WDAT_SET_RUNNING) && wdat_has(wdat, WDAT_SET_STOPPED);
}

enum status wdat_parse(const void *table, uint64_t len, struct wdat *ret)
{
	const uint8_t *entries = (const uint8_t *)table + sizeof(struct table);
	struct table head;
	struct entry entry;

	*ret = (struct wdat){0};
	if (len < sizeof(head))
		return ERR_CORRUPT;
	memcpy(&head, table, sizeof(head));
	if (!(head.flags & FLAG_ENABLED) || (head.pci_segment & 0xff) != PCI_SEGMENT_NONE)
		return ERR_NOTFOUND;
	if (head.n_entries > (len - sizeof(head)) / sizeof(entry) || head.period_ms == 0 ||
	    head.max_count == 0 || head.min_count > head.max_count)
		return ERR_CORRUPT;
	if (head.n_entries > WDAT_STEPS_MAX)
		return ERR_UNSUPPORTED;
	for (uint32_t i = 0; i < head.n_entries; i++) {
		memcpy(&entry, entries + i * sizeof(entry), sizeof(entry));
		if (!read_entry(&entry, &ret->step[ret->n_steps++]))
			return ERR_UNSUPPORTED;
	}
	ret->period_ms = head.period_ms;
	ret->min_count = head.min_count > 0 ? head.min_count : 1;
	ret->max_count = head.max_count;
	return has_what_is_needed(ret) ? OK : ERR_UNSUPPORTED;
}
