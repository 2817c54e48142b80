/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* QEMU's isa-debug-exit: a write of v to its ports ends the VM with status (v << 1) | 1. */
struct debug_exit {
	bool requested;
	uint32_t status; /* of the first write */
};

void debug_exit_write(struct debug_exit *dev, uint64_t value);

/* QEMU's isa-debugcon: writes are output, reads give 0xe9 so that guests can find it. */
#define DEBUGCON_READBACK 0xe9
