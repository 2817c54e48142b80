/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the ACPI table HEST as far as it concerns corrected machine checks. Source: ACPI
 * specification, "ACPI Error Source".
 */
#include "hv/host/hest.h"

#include "hv/lib/string.h"

enum {
	HEADER_LEN = 40, /* with the number of error sources */
	SOURCE_CORRECTED = 1,
	SOURCE_FLAGS = 6,
	SOURCE_ENABLED = 7,
	SOURCE_N_BANKS = 44, /* of a source of corrected machine checks */
	FIRMWARE_FIRST = 1 << 0,
	BANK_LEN = 28,
	N_BANKS = 64,
};

/* By type: the length without banks, and where their number is (0: it has none). */
static const struct {
	uint8_t len, n_banks;
} sources[] = {
	[0] = {40, 32}, /* machine check */
	[SOURCE_CORRECTED] = {48, SOURCE_N_BANKS},
	[2] = {20, 0}, /* NMI */
	[6] = {48, 0}, /* PCI Express: root port, device, bridge */
	[7] = {44, 0},
	[8] = {56, 0},
	[9] = {64, 0}, /* generic, in two versions */
	[10] = {92, 0},
	[11] = {48, SOURCE_N_BANKS}, /* deferred machine check */
};

/* The length of the source at 'p'; 0 if it is not known, or sticks out. */
static uint64_t source_len(const uint8_t *p, uint64_t left)
{
	uint64_t type, len;

	if (left < 2)
		return 0;
	type = p[0] | p[1] << 8;
	if (type >= ARRAY_SIZE(sources) || sources[type].len == 0 || left < sources[type].len)
		return 0;
	len = sources[type].len;
	if (sources[type].n_banks != 0)
		len += (uint64_t)p[sources[type].n_banks] * BANK_LEN;
	return len <= left ? len : 0;
}

static uint64_t firmware_banks(const uint8_t *source)
{
	const uint8_t *bank = source + sources[SOURCE_CORRECTED].len;
	uint64_t banks = 0;

	if (source[0] != SOURCE_CORRECTED || !source[SOURCE_ENABLED] ||
	    !(source[SOURCE_FLAGS] & FIRMWARE_FIRST))
		return 0;
	for (unsigned i = 0; i < source[SOURCE_N_BANKS]; i++, bank += BANK_LEN)
		if (*bank < N_BANKS)
			banks |= BIT(*bank);
	return banks;
}

uint64_t hest_firmware_banks(const void *table, uint64_t len)
{
	const uint8_t *p = table;
	uint64_t banks = 0, one;

	for (uint64_t at = HEADER_LEN; at < len; at += one) {
		one = source_len(p + at, len - at);
		if (one == 0)
			break;
		banks |= firmware_banks(p + at);
	}
	return banks;
}
