/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

/* UEFI specification, "EFI HTTP Protocol", as far as it is used here; gnu-efi does not declare it.
 */
#define HTTP_BINDING_GUID \
	{ \
		0xbdc8e6af, 0xd9bc, 0x4379, \
		{ \
			0xa7, 0x2a, 0xe0, 0xc4, 0xe7, 0x5d, 0xae, 0x1c \
		} \
	}
#define HTTP_GUID \
	{ \
		0x7a59b29b, 0x910b, 0x4171, \
		{ \
			0x82, 0x42, 0xa8, 0x5a, 0x0d, 0xf2, 0x5b, 0x5b \
		} \
	}

/* "EFI_HTTPv4_ACCESS_POINT" */
struct http_access_point {
	BOOLEAN use_default_address;
	EFI_IPv4_ADDRESS address, mask;
	UINT16 port;
};

enum { HTTP_VERSION_1_1 = 1 };

/* "EFI_HTTP_CONFIG_DATA" */
struct http_config {
	UINT32 version;
	UINT32 timeout_ms;
	BOOLEAN is_ipv6;
	struct http_access_point *access_point;
};

enum http_method { HTTP_GET = 0, HTTP_HEAD = 5, HTTP_PUT = 6 };

struct http_request_data {
	UINT32 method; /* enum http_method */
	CHAR16 *url;
};

struct http_response_data {
	UINT32 status; /* http_answer_number() */
};

/* "EFI_HTTP_HEADER"; those of a response are the caller's to free. */
struct http_header {
	char *name, *value;
};

/* "EFI_HTTP_MESSAGE" */
struct http_message {
	union {
		struct http_request_data *request; /* NULL: more of the body */
		struct http_response_data *response;
	};
	UINTN n_headers;
	struct http_header *headers;
	UINTN body_len; /* bytes */
	void *body;
};

/* "EFI_HTTP_TOKEN" */
struct http_token {
	EFI_EVENT event;
	EFI_STATUS status;
	struct http_message *message;
};

struct http_protocol {
	void *get_mode_data;
	EFI_STATUS(EFIAPI *configure)(struct http_protocol *self, struct http_config *config);
	EFI_STATUS(EFIAPI *request)(struct http_protocol *self, struct http_token *token);
	EFI_STATUS(EFIAPI *cancel)(struct http_protocol *self, struct http_token *token);
	EFI_STATUS(EFIAPI *response)(struct http_protocol *self, struct http_token *token);
	EFI_STATUS(EFIAPI *poll)(struct http_protocol *self);
};
