/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Bytes that no other call gets, on any processor: from RDRAND, mixed with the time-stamp counter
 * and with how many numbers were asked for. Without RDRAND they differ, but can be guessed.
 */
void random_fill(void *buf, size_t len);
/* The same 16 bits at every call, other ones after most boots. */
uint16_t random_machine(void);
