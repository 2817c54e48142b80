/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The debug ports that test guests use to speak and to end. The debug console
 * has no state of its own: platform.c connects its port to debugcon_output().
 */
#include "hv/devices/debug_ports.h"

void debug_exit_write(struct debug_exit *dev, uint64_t value)
{
	if (dev->requested)
		return;
	dev->requested = true;
	dev->status = (uint32_t)(value << 1 | 1);
}
