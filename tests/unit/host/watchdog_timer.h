/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/host/acpi_register.h"
#include "hv/host/wdat.h"
#include "tests/unit/support.h"

/* A machine's registers, for the seams of hv/host/acpi_register.h: 64 KiB of ports, and a page. */
#define DEVICE_PAGE UINT64_C(0xfed1f000)

static uint8_t ports[0x10000], device[0x1000];
static unsigned n_writes;

/* The chipset's general control register, of which a board may tie bits to 1. */
enum { GCS = 0x410 };
static uint8_t fixed_bits;

static uint8_t *place_of(struct acpi_register reg, unsigned size)
{
	assert_true(size == 1 || size == 2 || size == 4);
	if (reg.space == ACPI_SPACE_IO) {
		assert_in_range(reg.address, 0, sizeof(ports) - size);
		return ports + reg.address;
	}
	assert_int_equal(reg.space, ACPI_SPACE_MEMORY);
	assert_in_range(reg.address, DEVICE_PAGE, DEVICE_PAGE + sizeof(device) - size);
	return device + (reg.address - DEVICE_PAGE);
}

uint32_t acpi_register_read(struct acpi_register reg, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, place_of(reg, size), size);
	return value;
}

void acpi_register_write(struct acpi_register reg, unsigned size, uint32_t value)
{
	n_writes++;
	memcpy(place_of(reg, size), &value, size);
	device[GCS] |= fixed_bits;
}

static uint32_t port(uint16_t address)
{
	return acpi_register_read((struct acpi_register){ACPI_SPACE_IO, address}, 2);
}

static void set_port(uint16_t address, uint16_t value)
{
	memcpy(ports + address, &value, 2);
}

/* A WDAT as firmware makes it, with up to 80 entries. */
struct entry {
	uint8_t action, instruction;
	uint16_t reserved;
	uint8_t space, bit_width, bit_offset, access_size;
	uint64_t address;
	uint32_t value, mask;
} __attribute__((packed));

struct table {
	uint8_t header[36];
	uint32_t header_len;
	uint16_t pci_segment;
	uint8_t pci_place[6];
	uint32_t period_ms, max_count, min_count;
	uint8_t flags, reserved[3];
	uint32_t n_entries;
	struct entry entry[80];
} __attribute__((packed));

/* The TCO of a chipset whose ports are at 0x660. */
static void put_table(struct table *table)
{
	static const struct entry entries[] = {
		{WDAT_RESET, WDAT_WRITE_VALUE, 0, 1, 16, 0, 2, 0x660, 1, 0x3ff},
		{WDAT_SET_COUNTDOWN, WDAT_WRITE_COUNTDOWN | WDAT_PRESERVE, 0, 1, 16, 0, 2, 0x672, 0,
		 0x3ff},
		{WDAT_GET_RUNNING, WDAT_READ_VALUE, 0, 1, 16, 11, 2, 0x668, 0, 1},
		{WDAT_SET_RUNNING, WDAT_WRITE_VALUE | WDAT_PRESERVE, 0, 1, 16, 11, 2, 0x668, 0, 1},
		{WDAT_SET_STOPPED, WDAT_WRITE_VALUE | WDAT_PRESERVE, 0, 1, 16, 11, 2, 0x668, 1, 1},
		{WDAT_SET_REBOOT, WDAT_WRITE_VALUE | WDAT_PRESERVE, 0, 0, 32, 5, 3,
		 DEVICE_PAGE + 0x410, 0, 1},
	};

	*table = (struct table){
		.header_len = 32,
		.pci_segment = 0xff,
		.period_ms = 1200,
		.max_count = 0x3ff,
		.min_count = 4,
		.flags = 1,
		.n_entries = ARRAY_SIZE(entries),
	};
	memcpy(table->entry, entries, sizeof(entries));
}

static uint64_t table_len(const struct table *table)
{
	return offsetof(struct table, entry) + table->n_entries * sizeof(struct entry);
}
