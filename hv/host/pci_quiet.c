/* SPDX-License-Identifier: BSD-2-Clause */
/* Silences devices. Source: PCI Local Bus Specification, "Device Control". */
#include "hv/host/pci_quiet.h"

#include "hv/host/pci.h"

enum { CLASS_SHIFT = 24, CLASS_DISPLAY = 0x03, CLASS_BRIDGE = 0x06, COMMAND_MASK = 0xffff };

static bool must_stay(pci_place place)
{
	unsigned class = pci_read(place, PCI_CLASS) >> CLASS_SHIFT;

	return class == CLASS_DISPLAY || class == CLASS_BRIDGE;
}

/* The status in the upper half is cleared by ones. */
static bool stop(pci_place place, void *context)
{
	unsigned *n = context;
	uint32_t command = pci_read(place, PCI_COMMAND) & COMMAND_MASK;

	if (!(command & PCI_COMMAND_BUS_MASTER) || must_stay(place))
		return false;
	pci_write(place, PCI_COMMAND, command & ~(uint32_t)PCI_COMMAND_BUS_MASTER);
	(*n)++;
	return false;
}

unsigned pci_stop_bus_masters(bool all_buses)
{
	unsigned n = 0;

	if (all_buses)
		(void)pci_find_on_all_buses(stop, &n);
	else
		(void)pci_find(stop, &n);
	return n;
}
