/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

/*
 * UEFI Platform Initialization specification, "EFI_MP_SERVICES_PROTOCOL", as far as
 * it is used here; gnu-efi does not declare it.
 */
#define MP_SERVICES_GUID \
	{ \
		0x3fdda605, 0xa76e, 0x4f46, \
		{ \
			0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 \
		} \
	}

#define MP_PROCESSOR_IS_BSP	(1u << 0)
#define MP_PROCESSOR_IS_ENABLED (1u << 1)

struct mp_processor {
	UINT64 id; /* local APIC ID */
	UINT32 flags;
	UINT32 package, core, thread;
	UINT32 extended[6]; /* more of the location, in later versions */
};

struct mp_services {
	EFI_STATUS(EFIAPI *get_count)(struct mp_services *self, UINTN *ret_n, UINTN *ret_enabled);
	EFI_STATUS(EFIAPI *get_info)(struct mp_services *self, UINTN n, struct mp_processor *ret);
};
