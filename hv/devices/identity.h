/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * What tells a VM from all others, its template's other clones above all. The guest finds it in
 * fw_cfg (hv/devices/fw_cfg.h) and, if it has the device, in the generation counter (vmgenid).
 */
struct identity {
	const char *name;     /* not owned */
	const char *template; /* not owned; NULL: no clone */
	uint32_t number;      /* among the template's clones */
	uint8_t seed[32];
	uint8_t mac[6];
	uint8_t guid[16]; /* as in memory: the first three parts little-endian */
};

/*
 * QEMU's vmgenid: a GUID in the guest's memory that changes whenever a VM becomes another one, so
 * that its random numbers do, too ("Virtual Machine Generation ID"). hv/loader/vmgenid.dsl
 * tells the guest where, and has a generic event device whose interrupt says that it has changed.
 */
#define VMGENID_GPA UINT64_C(0xdf000) /* reserved in the memory map, nothing else in this page */
#define VMGENID_GSI 16

#define UUID_LENGTH 36

/* "12345678-1234-1234-1234-123456789abc" in the order that ACPI has it in memory; false: none. */
bool identity_parse_guid(const char *text, uint8_t ret[16]);
/* A version-4 UUID in that order, out of 16 random bytes. */
void identity_make_guid(const uint8_t random[16], uint8_t ret[16]);
/* Locally administered, no multicast; other for every 'vm' below 2^24 of the same 'machine'. */
void identity_make_mac(uint16_t machine, uint32_t vm, uint8_t ret[6]);
