/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the section table of our own PE image, to find sections that were added to the file after
 * linking. The firmware has checked the image; nevertheless nothing is read outside it. Does not
 * find sections with names of more than eight characters.
 */
#include "boot/pe.h"

#include <stddef.h>

/* Microsoft PE format: offsets of the fields that are read. */
#define DOS_PE_OFFSET	      0x3c
#define PE_N_SECTIONS	      6
#define PE_OPTIONAL_SIZE      20
#define PE_OPTIONAL	      24
#define PE_SIGNATURE	      UINT32_C(0x4550) /* "PE", two zeros */
#define SECTION_SIZE	      40
#define SECTION_NAME_LEN      8
#define SECTION_VIRTUAL_SIZE  8
#define SECTION_VIRTUAL_START 12
#define SECTION_RAW_SIZE      16

struct span {
	const uint8_t *base;
	uint64_t size;
};

static bool span_reaches(const struct span *span, uint64_t offset, uint64_t len)
{
	return offset <= span->size && len <= span->size - offset;
}

static uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t read32(const uint8_t *p)
{
	return read16(p) | (uint32_t)read16(p + 2) << 16;
}

/* Find the section table and its number of entries; false if it is not inside the image. */
static bool find_table(const struct span *image, uint64_t *ret_offset, uint32_t *ret_n)
{
	uint64_t pe;

	if (!span_reaches(image, DOS_PE_OFFSET, 4))
		return false;
	pe = read32(image->base + DOS_PE_OFFSET);
	if (!span_reaches(image, pe, PE_OPTIONAL) || read32(image->base + pe) != PE_SIGNATURE)
		return false;
	*ret_n = read16(image->base + pe + PE_N_SECTIONS);
	*ret_offset = pe + PE_OPTIONAL + read16(image->base + pe + PE_OPTIONAL_SIZE);
	return span_reaches(image, *ret_offset, (uint64_t)*ret_n * SECTION_SIZE);
}

static bool has_name(const uint8_t *section, const char *name)
{
	for (size_t i = 0; i < SECTION_NAME_LEN; i++) {
		if (section[i] != (uint8_t)name[i])
			return false;
		if (name[i] == '\0')
			return true;
	}
	return name[SECTION_NAME_LEN] == '\0';
}

bool pe_find_section(const void *image, uint64_t size, const char *name, uint64_t *ret_offset,
		     uint64_t *ret_len)
{
	const struct span span = {.base = image, .size = size};
	uint64_t table, start, len, raw_len;
	uint32_t n;

	if (!find_table(&span, &table, &n))
		return false;
	for (const uint8_t *section = span.base + table; n > 0; n--, section += SECTION_SIZE) {
		if (!has_name(section, name))
			continue;
		start = read32(section + SECTION_VIRTUAL_START);
		len = read32(section + SECTION_VIRTUAL_SIZE);
		raw_len = read32(section + SECTION_RAW_SIZE);
		if (len == 0 || len > raw_len) /* objcopy omits the virtual size */
			len = raw_len;
		if (!span_reaches(&span, start, len))
			return false;
		*ret_offset = start;
		*ret_len = len;
		return true;
	}
	return false;
}
