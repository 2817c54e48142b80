/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * What distinguishes a VM from all others, in particular from other clones of its template. The
 * guest finds its identity in fw_cfg (hv/devices/fw_cfg.h) and, if it has the device, in the
 * generation counter (vmgenid).
 */
struct identity {
	const char *name;     /* not owned; NULL: clone_name() */
	const char *template; /* not owned; NULL: not a clone */
	const char *job;      /* not owned; NULL: none */
	uint32_t number;      /* among the template's clones */
	uint32_t index;	      /* among all VMs */
	bool has_seed;	      /* false: drawn when it is first read */
	bool is_told;	      /* the guest is interrupted because of its new GUID */
	/* 'guid' is made, and in the guest's memory; guarded by the VM's lock. */
	bool has_guid;
	bool has_mac; /* false: made when it is first read, identity_make_mac() */
	uint8_t seed[32];
	uint8_t mac[6];
	uint8_t guid[16]; /* as in memory: the first three parts little-endian */
};

/*
 * QEMU's vmgenid ("Virtual Machine Generation ID"): a GUID in the guest's memory that changes when
 * a VM becomes another one, so that the guest reseeds its random numbers. hv/loader/vmgenid.dsl
 * tells the guest the address, and describes a generic event device whose interrupt signals a
 * change.
 */
#define VMGENID_GPA UINT64_C(0xdf000) /* reserved in the memory map, alone in its page */
#define VMGENID_GSI 16

#define UUID_LENGTH 36

/*
 * Read "12345678-1234-1234-1234-123456789abc" into the byte order that ACPI uses in memory. False:
 * not a GUID.
 */
bool identity_parse_guid(const char *text, uint8_t ret[16]);
/* Make a version-4 UUID in that byte order from 16 random bytes. */
void identity_make_guid(const uint8_t random[16], uint8_t ret[16]);
/* Locally administered, not multicast. Distinct for every 'vm' below 2^24 of the same 'machine'. */
void identity_make_mac(uint16_t machine, uint32_t vm, uint8_t ret[6]);
