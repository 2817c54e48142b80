/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * Extend PCR 12 of the TPM by the hash of 'size' bytes, and log an event EV_IPL with the text
 * 'name'. Does nothing if the machine has no TPM 2.0; prints a failure.
 */
void measure(const char *name, const void *data, uint64_t size);
