/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

/* UEFI specification, "EFI MTFTP4 Protocol", as far as it is used here; gnu-efi does not declare
 * it. */
#define MTFTP4_BINDING_GUID \
	{ \
		0x2fe800be, 0x8f01, 0x4aa6, \
		{ \
			0x94, 0x6b, 0xd7, 0x13, 0x88, 0xe1, 0x83, 0x3f \
		} \
	}
#define MTFTP4_GUID \
	{ \
		0x78247c57, 0x63db, 0x4708, \
		{ \
			0x99, 0xc2, 0xa8, 0xb4, 0xa9, 0xa6, 0x1f, 0x6b \
		} \
	}

enum { MTFTP4_OPCODE_DATA = 3, MTFTP4_FILE_NOT_FOUND = 1, MTFTP4_DATA_HEADER_SIZE = 4 };

/* "EFI_MTFTP4_PACKET", of an error; big-endian. */
struct __attribute__((packed)) mtftp4_packet {
	UINT16 opcode;
	UINT16 error;
	char text[];
};

struct mtftp4_option {
	const char *name, *value;
};

/* "EFI_MTFTP4_CONFIG_DATA" */
struct mtftp4_config {
	BOOLEAN use_default_setting;
	EFI_IPv4_ADDRESS address, mask;
	UINT16 port;
	EFI_IPv4_ADDRESS gateway, server;
	UINT16 server_port;
	UINT16 n_tries, timeout; /* seconds */
};

struct mtftp4;

/* "EFI_MTFTP4_TOKEN"; without an event a call returns at the end of the transfer. */
struct mtftp4_token {
	EFI_STATUS status;
	EFI_EVENT event;
	void *override;
	const char *name;
	const char *mode; /* NULL: octets */
	UINT32 n_options;
	const struct mtftp4_option *options;
	UINT64 size; /* bytes of the buffer, then of the file */
	void *buffer;
	void *context;
	EFI_STATUS(EFIAPI *check_packet)
	(struct mtftp4 *self, struct mtftp4_token *token, UINT16 len, struct mtftp4_packet *packet);
	void *on_timeout, *packet_needed;
};

struct mtftp4 {
	void *get_mode_data;
	EFI_STATUS(EFIAPI *configure)(struct mtftp4 *self, struct mtftp4_config *config);
	EFI_STATUS(EFIAPI *get_info)
	(struct mtftp4 *self, void *override, const char *name, const char *mode, UINT8 n_options,
	 const struct mtftp4_option *options, UINT32 *ret_len, struct mtftp4_packet **ret);
	EFI_STATUS(EFIAPI *parse_options)
	(struct mtftp4 *self, UINT32 len, struct mtftp4_packet *packet, UINT32 *ret_n,
	 struct mtftp4_option **ret);
	EFI_STATUS(EFIAPI *read_file)(struct mtftp4 *self, struct mtftp4_token *token);
	EFI_STATUS(EFIAPI *write_file)(struct mtftp4 *self, struct mtftp4_token *token);
};
