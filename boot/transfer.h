/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/net.h"

/*
 * The length of the file at 'url', which is below net->url, in bytes. EFI_NOT_FOUND: the server
 * says that there is none. Prints all other errors.
 */
EFI_STATUS transfer_measure(const struct net *net, const char *url, uint64_t *ret_size);
/* Read the whole file, which must have exactly 'size' bytes. Prints errors, and long progress. */
EFI_STATUS transfer_read(const struct net *net, const char *url, void *buffer, uint64_t size);
/* Write a file of 'size' bytes. Prints errors, and over HTTP long progress. */
EFI_STATUS transfer_write(const struct net *net, const char *url, void *data, uint64_t size);
