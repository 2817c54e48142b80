/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

/*
 * TCG EFI Protocol Specification, "EFI TCG2 Protocol", as far as it is used here; gnu-efi does not
 * declare it.
 */
#define TCG2_GUID \
	{ \
		0x607f766c, 0x7455, 0x42be, \
		{ \
			0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f \
		} \
	}

/* "EFI_TCG2_BOOT_SERVICE_CAPABILITY" */
struct tcg2_capability {
	UINT8 size; /* of this structure, set by the caller */
	UINT8 structure_version[2], protocol_version[2];
	UINT32 hash_algorithms, event_logs;
	BOOLEAN tpm_present;
	UINT16 max_command_size, max_response_size;
	UINT32 manufacturer, n_pcr_banks, active_pcr_banks;
};

#define TCG2_EVENT_HEADER_VERSION 1
#define TCG2_EV_IPL		  13

/* "EFI_TCG2_EVENT"; the event's bytes follow. */
struct __attribute__((packed)) tcg2_event {
	UINT32 size; /* with the event's bytes */
	UINT32 header_size;
	UINT16 header_version;
	UINT32 pcr, type;
};

struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(struct tcg2 *self, struct tcg2_capability *ret);
	void *get_event_log;
	EFI_STATUS(EFIAPI *hash_log_extend)
	(struct tcg2 *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 len,
	 struct tcg2_event *event);
};
