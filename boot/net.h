/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/url.h"

/* A network card with an IPv4 address, and the server. */
struct net {
	EFI_HANDLE card;
	struct url url;
	char own_folder[URL_OWN_SIZE]; /* the machine's, below the URL's */
};

/*
 * Find the network card that the image was loaded over, or else the first that gets an address, and
 * give it one by DHCP if it has none. Prints an error. net->url is the caller's.
 */
EFI_STATUS net_start(const EFI_LOADED_IMAGE *image, struct net *net, struct boot_info *info);

/* An instance of one of the firmware's network protocols, for one transfer. */
struct net_child {
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE handle;
	void *protocol;
};

/* EFI_UNSUPPORTED: the firmware does not have the protocol. Prints nothing. */
EFI_STATUS net_child_open(const struct net *net, const EFI_GUID *binding, const EFI_GUID *protocol,
			  struct net_child *ret);
void net_child_close(const struct net_child *child);

/* Why a transfer has failed with 'status'. */
const CHAR16 *net_reason(EFI_STATUS status);
/* Show that a transfer of 'size' bytes is at 'done', and was at 'before', if that takes long. */
void net_show_progress(const CHAR16 *doing, const char *url, uint64_t before, uint64_t done,
		       uint64_t size);
