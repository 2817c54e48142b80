/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/irqchip.h"
#include "hv/devices/platform.h"

#include "tests/unit/platform_parts.h"

/* Room for the devices that a test needs, and the simplest topology with n processors. */

union irqchip_room {
	struct irqchip chip;
	uint8_t bytes[sizeof(struct irqchip) + IRQCHIP_NEAR * sizeof(struct lapic) +
		      sizeof(struct irqchip_legacy)];
};

enum { PLATFORM_ROOM_SLOTS = 4 };
union platform_room {
	struct platform platform;
	uint8_t bytes[PLATFORM_SIZE_MAX +
		      (TOPOLOGY_MAX_CPUS / IRQCHIP_FAR_TOGETHER + 1) * PAGE_SIZE +
		      NVDIMM_WINDOW_SIZE + PLATFORM_ROOM_SLOTS * sizeof(struct memory_slot) +
		      VIRTIO_DEVICES_MAX * sizeof(struct virtio)];
};

/* Each processor in its own socket: APIC IDs are the processors' numbers. */
static inline const struct cpu_topology *sockets(unsigned n)
{
	static struct cpu_topology topology;

	topology = (struct cpu_topology){.n_cpus = (uint16_t)n, .count = {1, 1, 1, 1, (uint16_t)n}};
	return &topology;
}

/* Access the local APIC's page; 'off' is relative to the page. */
static inline uint64_t page_read(struct irqchip *chip, struct lapic *lapic, struct io_access access)
{
	access.addr = APIC_BASE_ADDR + access.off;
	return irqchip_page_read(chip, lapic, &access);
}

static inline void page_write(struct irqchip *chip, struct lapic *lapic, struct io_access access)
{
	access.addr = APIC_BASE_ADDR + access.off;
	irqchip_page_write(chip, lapic, &access);
}

/* Take all kicks; bit i for vCPU i. */
static inline uint32_t take_kicks(struct irqchip *chip)
{
	uint32_t kicks = 0;

	for (int i = irqchip_take_kick(chip); i >= 0; i = irqchip_take_kick(chip))
		kicks |= (uint32_t)BIT(i);
	return kicks;
}
