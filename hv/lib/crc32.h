/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * CRC-32 as zip and Ethernet have it: polynomial 0xedb88320, bits reflected. 'crc' is 0 at first,
 * then what came back for the bytes before.
 */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);
