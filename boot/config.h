/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>

#include "boot/boot_info.h"
#include "boot/net.h"

/*
 * Read the configuration of the image's section .config, or else of its volume, into memory that
 * the hypervisor keeps: config, config_len and config_name of 'info'. Measures it if 'measures'.
 * Prints an error.
 */
EFI_STATUS config_load(const EFI_LOADED_IMAGE *image, bool measures, struct boot_info *info);
/*
 * Start the network for the server that the configuration of 'info' names (host -fetch).
 * EFI_NOT_FOUND: it names none; all other errors are printed.
 */
EFI_STATUS config_server(const EFI_LOADED_IMAGE *image, struct net *net, struct boot_info *info);
/* Replace the configuration of 'info' by the server's, which is measured. Prints an error. */
EFI_STATUS config_fetch(const struct net *net, struct boot_info *info);
