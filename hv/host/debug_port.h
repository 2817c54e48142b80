/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The debug port of emulators: each byte written is in a file of theirs at once. QEMU calls it
 * isa-debugcon, Bochs port_e9_hack. Not for ports of guests, which hv/devices/ has.
 */

/* Reads of a real machine's port return another value. */
bool debug_port_is_present(void);

/* Write the bytes; never waits. The port must be present. */
void debug_port_write(const char *data, size_t len);
