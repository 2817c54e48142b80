/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds PCI functions. Source: PCI
 * Local Bus Specification, "Configuration Space"; PCI-to-PCI Bridge Architecture Specification.
 */
#include "hv/host/pci.h"

#include "hv/lib/string.h"

enum {
	HEADER = 0x0c,
	HEADER_TYPE_SHIFT = 16,
	HEADER_TYPE = 0x7f,
	HEADER_BRIDGE = 1,
	HEADER_SEVERAL_FUNCTIONS = 0x80,
	BRIDGE_BUSES = 0x18,
	BRIDGE_SECONDARY_SHIFT = 8,
	N_BUSES = 256,
	N_DEVICES = 32,
	N_FUNCTIONS = 8,
};

struct walk {
	bool (*visit)(pci_place place, void *context);
	void *context;
	bool has_bus[N_BUSES];
};

static bool exists(pci_place place)
{
	return (uint16_t)pci_read(place, 0) != UINT16_MAX;
}

static unsigned header_type(pci_place place)
{
	return pci_read(place, HEADER) >> HEADER_TYPE_SHIFT & 0xff;
}

/* Buses are numbered from the root downwards, so a smaller number is not a bus behind this one. */
static void note_bus_behind(struct walk *walk, pci_place place)
{
	unsigned secondary = pci_read(place, BRIDGE_BUSES) >> BRIDGE_SECONDARY_SHIFT & 0xff;

	if ((header_type(place) & HEADER_TYPE) == HEADER_BRIDGE && secondary > place >> 8)
		walk->has_bus[secondary] = true;
}

static bool walk_device(struct walk *walk, pci_place device)
{
	bool has_several = header_type(device) & HEADER_SEVERAL_FUNCTIONS;

	for (unsigned i = 0; i < (has_several ? N_FUNCTIONS : 1); i++) {
		pci_place place = (pci_place)(device | i);

		if (!exists(place))
			continue;
		if (walk->visit(place, walk->context))
			return true;
		note_bus_behind(walk, place);
	}
	return false;
}

static bool walk_buses(struct walk *walk)
{
	for (unsigned bus = 0; bus < N_BUSES; bus++)
		for (unsigned i = 0; walk->has_bus[bus] && i < N_DEVICES; i++) {
			pci_place device = (pci_place)(bus << 8 | i << 3);

			if (exists(device) && walk_device(walk, device))
				return true;
		}
	return false;
}

bool pci_find(bool (*visit)(pci_place place, void *context), void *context)
{
	struct walk walk = {visit, context, .has_bus = {[0] = true}};

	return walk_buses(&walk);
}

bool pci_find_on_all_buses(bool (*visit)(pci_place place, void *context), void *context)
{
	struct walk walk = {visit, context, .has_bus = {false}};

	memset(walk.has_bus, true, sizeof(walk.has_bus));
	return walk_buses(&walk);
}
