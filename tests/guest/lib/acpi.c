/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds ACPI tables by scanning, as a legacy kernel does, or through the loader's pointer. */
#include "tests/guest/lib/lib.h"

#define SCAN_START 0xe0000
#define SCAN_END   0x100000
#define HEADER	   36

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool sums_to_zero(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n > 0)
		sum = (uint8_t)(sum + p[--n]);
	return sum == 0;
}

static const uint8_t *find_rsdp(void)
{
	if (pvh() != NULL && pvh()->rsdp != 0)
		return (const uint8_t *)pvh()->rsdp;
	for (uintptr_t at = SCAN_START; at < SCAN_END; at += 16) {
		const uint8_t *p = (const uint8_t *)at;

		if (memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, 20))
			return p;
	}
	return NULL;
}

static bool is_table(const uint8_t *table, const char *signature)
{
	return memcmp(table, signature, 4) == 0 && sums_to_zero(table, get32(table + 4));
}

const uint8_t *acpi_find(const char *signature)
{
	const uint8_t *rsdp = find_rsdp();
	const uint8_t *root;
	size_t width;

	if (rsdp == NULL)
		return NULL;
	width = rsdp[15] >= 2 && get64(rsdp + 24) != 0 ? 8 : 4;
	root = (const uint8_t *)(width == 8 ? get64(rsdp + 24) : (uint64_t)get32(rsdp + 16));
	if (!is_table(root, width == 8 ? "XSDT" : "RSDT"))
		return NULL;
	for (size_t at = HEADER; at + width <= get32(root + 4); at += width) {
		const uint8_t *table = (const uint8_t *)(width == 8 ? get64(root + at)
								    : (uint64_t)get32(root + at));

		if (is_table(table, signature))
			return table;
	}
	return NULL;
}

/* Generic Address Structure: space, width, offset, size, then the address. */
static struct acpi_register get_register(const uint8_t *p)
{
	return (struct acpi_register){.address = get64(p + 4), .in_memory = p[0] == 0};
}

void acpi_write(const struct acpi_register *reg, uint8_t value)
{
	if (reg->in_memory)
		*(volatile uint8_t *)reg->address = value;
	else
		outb(value, (uint16_t)reg->address);
}

bool acpi_read_fadt(struct acpi_fadt *ret)
{
	const uint8_t *t = acpi_find("FACP");
	uint32_t length = t != NULL ? get32(t + 4) : 0;

	if (length < 116)
		return false;
	*ret = (struct acpi_fadt){.flags = get32(t + 112), .pm1_control = get32(t + 64)};
	if (length >= 129) {
		ret->reset = get_register(t + 116);
		ret->reset_value = t[128];
	}
	if (length >= 256)
		ret->sleep_control = get_register(t + 244);
	return true;
}

/* Name (_S5, Package (n) {type, ...}): the name is unique, so NameOp is not checked. */
uint8_t acpi_s5(void)
{
	const uint8_t *fadt = acpi_find("FACP");
	const uint8_t *dsdt = fadt != NULL ? (const uint8_t *)(uintptr_t)get32(fadt + 40) : NULL;

	if (fadt != NULL && get32(fadt + 4) >= 148 && get64(fadt + 140) != 0)
		dsdt = (const uint8_t *)get64(fadt + 140);
	if (dsdt == NULL || !is_table(dsdt, "DSDT"))
		return 0;
	for (const uint8_t *p = dsdt + HEADER; p + 8 < dsdt + get32(dsdt + 4); p++) {
		if (memcmp(p, "_S5_\x12", 5) != 0)
			continue;
		p += 5 + (p[5] >> 6) + 2; /* skip the package length and the element count */
		return p[0] == 0x0a ? p[1] : p[0];
	}
	return 0;
}
