/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories of ISO 9660 (ECMA-119) with Rock Ridge names. A record never crosses a sector. The
 * disc may be hostile: nothing is read outside the sector.
 */
#include "boot/iso9660.h"

#include <stddef.h>

/* ECMA-119, "Primary Volume Descriptor": offsets. */
#define DESCRIPTOR_TYPE	    0
#define DESCRIPTOR_ID	    1
#define DESCRIPTOR_BLOCK    128
#define DESCRIPTOR_ROOT	    156
#define DESCRIPTOR_ROOT_LEN 34
#define TYPE_PRIMARY	    1

/* ECMA-119, "Format of a Directory Record": offsets, and flags. */
#define RECORD_LEN	      0
#define RECORD_ATTRIBUTES_LEN 1
#define RECORD_START	      2 /* in sectors */
#define RECORD_SIZE	      10
#define RECORD_FLAGS	      25
#define RECORD_NAME_LEN	      32
#define RECORD_NAME	      33
#define FLAG_DIRECTORY	      (1u << 1)
#define FLAG_CONTINUES	      (1u << 7)

/* SUSP, "System Use Entry format"; Rock Ridge, "NM": offsets. */
#define USE_LEN	     2
#define USE_HEADER   4
#define NM_FLAGS     4
#define NM_NAME	     5
#define NM_CONTINUES (1u << 0)

struct text {
	const uint8_t *start;
	unsigned len;
};

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static struct iso9660_extent record_extent(const uint8_t *record)
{
	uint64_t sector = (uint64_t)read32(record + RECORD_START) + record[RECORD_ATTRIBUTES_LEN];

	return (struct iso9660_extent){
		.start = sector * ISO9660_SECTOR,
		.size = read32(record + RECORD_SIZE),
		.directory = (record[RECORD_FLAGS] & FLAG_DIRECTORY) != 0,
	};
}

bool iso9660_root(const uint8_t sector[ISO9660_SECTOR], struct iso9660_extent *ret)
{
	static const uint8_t id[] = {'C', 'D', '0', '0', '1', 1};
	const uint8_t *block = sector + DESCRIPTOR_BLOCK;

	if (sector[DESCRIPTOR_TYPE] != TYPE_PRIMARY)
		return false;
	for (size_t i = 0; i < sizeof(id); i++) {
		if (sector[DESCRIPTOR_ID + i] != id[i])
			return false;
	}
	if ((block[0] | block[1] << 8) != ISO9660_SECTOR ||
	    sector[DESCRIPTOR_ROOT + RECORD_LEN] != DESCRIPTOR_ROOT_LEN)
		return false;
	*ret = record_extent(sector + DESCRIPTOR_ROOT);
	return ret->directory;
}

/* The Rock Ridge name in 'len' bytes of system use entries. */
static bool find_rock_ridge_name(const uint8_t *use, unsigned len, struct text *ret)
{
	while (len > USE_HEADER && use[USE_LEN] >= USE_HEADER && use[USE_LEN] <= len) {
		unsigned entry_len = use[USE_LEN];

		if (use[0] == 'N' && use[1] == 'M' && entry_len > NM_NAME &&
		    !(use[NM_FLAGS] & NM_CONTINUES)) {
			*ret = (struct text){.start = use + NM_NAME, .len = entry_len - NM_NAME};
			return true;
		}
		use += entry_len;
		len -= entry_len;
	}
	return false;
}

static char to_lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_name(const struct text *text, const char *name)
{
	for (unsigned i = 0; i < text->len; i++) {
		if (name[i] == '\0' || to_lower(text->start[i]) != name[i])
			return false;
	}
	return name[text->len] == '\0';
}

/* 'len' bytes of record with a name inside. */
static bool has_name(const uint8_t *record, unsigned len, const char *name)
{
	struct text text = {.start = record + RECORD_NAME, .len = record[RECORD_NAME_LEN]};
	unsigned use = RECORD_NAME + (text.len | 1); /* padded to an even offset */

	if (use < len && find_rock_ridge_name(record + use, len - use, &text))
		return is_name(&text, name);
	for (unsigned i = 0; i < text.len; i++) {
		if (text.start[i] == ';')
			text.len = i;
	}
	return is_name(&text, name);
}

bool iso9660_find(const uint8_t sector[ISO9660_SECTOR], const char *name,
		  struct iso9660_extent *ret)
{
	for (unsigned at = 0, len; at + RECORD_NAME < ISO9660_SECTOR; at += len) {
		const uint8_t *record = sector + at;

		len = record[RECORD_LEN];
		if (len <= RECORD_NAME || len > ISO9660_SECTOR - at ||
		    record[RECORD_NAME_LEN] > len - RECORD_NAME)
			return false;
		if (!has_name(record, len, name))
			continue;
		*ret = record_extent(record);
		return !(record[RECORD_FLAGS] & FLAG_CONTINUES);
	}
	return false;
}
