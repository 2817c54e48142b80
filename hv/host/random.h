/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Bytes that no other call gets, on any processor: from RDRAND, mixed with the time-stamp counter
 * and the count of calls. Without RDRAND they differ, but can be guessed.
 */
void random_fill(void *buf, size_t len);
/* The same 16 bits at every call; after another boot usually different ones. */
uint16_t random_machine(void);
