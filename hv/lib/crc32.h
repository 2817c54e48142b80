/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * CRC-32 as in zip and Ethernet: polynomial 0xedb88320, bits reflected. Pass 0
 * as 'crc' for the first bytes, then the value returned for the bytes before.
 */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);
