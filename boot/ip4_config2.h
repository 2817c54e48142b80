/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

/*
 * UEFI specification, "EFI IPv4 Configuration II Protocol", as far as it is used here; gnu-efi does
 * not declare it.
 */
#define IP4_CONFIG2_GUID \
	{ \
		0x5b446ed1, 0xe30b, 0x4faa, \
		{ \
			0x87, 0x1a, 0x36, 0x54, 0xec, 0xa3, 0x60, 0x80 \
		} \
	}

enum { IP4_CONFIG2_INTERFACE_INFO = 0, IP4_CONFIG2_POLICY = 1 }; /* types of data */
enum { IP4_CONFIG2_POLICY_DHCP = 1 };				 /* a UINT32 */

/* "EFI_IP4_CONFIG2_INTERFACE_INFO"; the routes follow. */
struct ip4_config2_interface {
	CHAR16 name[32];
	UINT8 type; /* of ARP hardware: 1 is Ethernet */
	UINT32 mac_size;
	EFI_MAC_ADDRESS mac;
	EFI_IPv4_ADDRESS address, mask; /* zeros: none yet */
	UINT32 routes_size;
	void *routes;
};

struct ip4_config2 {
	EFI_STATUS(EFIAPI *set_data)
	(struct ip4_config2 *self, UINT32 type, UINTN size, void *data);
	EFI_STATUS(EFIAPI *get_data)
	(struct ip4_config2 *self, UINT32 type, UINTN *size, void *ret_data);
};
