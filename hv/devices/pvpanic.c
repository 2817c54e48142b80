/* SPDX-License-Identifier: BSD-2-Clause */
/* pvpanic: see pvpanic.h. As in QEMU, a report need not be among the events that a read returns. */
#include "hv/devices/pvpanic.h"

static uint64_t pvpanic_read(void *dev, const struct io_access *access)
{
	const struct pvpanic *pvpanic = dev;

	(void)access;
	return pvpanic->events;
}

static uint32_t pvpanic_write(void *dev, const struct io_access *access)
{
	(void)dev;
	if (access->value & PVPANIC_PANICKED)
		return WISH_PANICKED;
	return access->value & PVPANIC_CRASH_LOADED ? WISH_CRASH_LOADED : 0;
}

const struct device_class pvpanic_class = {
	.name = "pvpanic",
	.read = pvpanic_read,
	.write = pvpanic_write,
};
