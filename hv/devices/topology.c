/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How virtual processors are numbered. SDM vol. 3, "Hierarchical Mapping of Shared Resources":
 * software splits an APIC ID into bit fields, so each level begins at a bit.
 */
#include "hv/devices/topology.h"

unsigned topology_size(const struct cpu_topology *topology, enum topology_level level)
{
	unsigned size = 1;

	for (unsigned below = 0; below < level; below++)
		size *= topology->count[below];
	return size;
}

unsigned topology_places(const struct cpu_topology *topology)
{
	return topology_size(topology, TOPOLOGY_SOCKET) * topology->count[TOPOLOGY_SOCKET];
}

unsigned topology_part(const struct cpu_topology *topology, unsigned index,
		       enum topology_level level)
{
	return index / topology_size(topology, level) % topology->count[level];
}

static unsigned bits_for(unsigned count)
{
	return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

unsigned topology_shift(const struct cpu_topology *topology, enum topology_level level)
{
	unsigned shift = 0;

	for (unsigned below = 0; below < level; below++)
		shift += bits_for(topology->count[below]);
	return shift;
}

uint32_t topology_apic_id(const struct cpu_topology *topology, unsigned index)
{
	uint32_t id = 0;

	for (unsigned level = 0; level < N_TOPOLOGY_LEVELS; level++)
		id |= topology_part(topology, index, level) << topology_shift(topology, level);
	return id;
}
