/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "boot/boot_info.h"

/*
 * Extend PCR 12 of the TPM by the hash of 'size' bytes, and log an event EV_IPL with the text
 * 'name'. Does nothing if the machine has no TPM 2.0; prints a failure, and for a large file first
 * what takes so long.
 */
void measure(struct boot_info *info, const char *name, const void *data, uint64_t size);
