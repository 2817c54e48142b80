/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <efi.h>
#include <stdint.h>

#include "boot/net.h"

/* As transfer_measure(), transfer_read() and transfer_write(), for servers of this protocol. */
EFI_STATUS http_measure(const struct net *net, const char *url, uint64_t *ret_size);
EFI_STATUS http_read(const struct net *net, const char *url, void *buffer, uint64_t size);
EFI_STATUS http_write(const struct net *net, const char *url, void *data, uint64_t size);
