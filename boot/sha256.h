/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#define SHA256_SIZE 32 /* bytes */

/* The SHA-256 of 'len' bytes (FIPS 180-4, "SHA-256"). */
void sha256(const void *data, uint64_t len, uint8_t ret[SHA256_SIZE]);
