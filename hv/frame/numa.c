/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NUMA nodes of this machine: which memory and which processors are near each other. Filled at
 * start by numa_parse.c, and only asked afterwards.
 */
#include "hv/frame/numa.h"

struct numa numa = {
	.n_nodes = 1,
	.n_spans = 1,
	.distance = {{NUMA_LOCAL}},
	.with_memory = {1},
};

/* Index of the span that contains 'address'. */
static unsigned find_span(const struct numa *machine, phys_t address)
{
	unsigned low = 0, high = machine->n_spans;

	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;

		if (machine->span[middle].start <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

unsigned numa_node_of(const struct numa *machine, phys_t address)
{
	return machine->span[find_span(machine, address)].node;
}

phys_t numa_span_end(const struct numa *machine, phys_t address)
{
	unsigned next = find_span(machine, address) + 1;

	return next < machine->n_spans ? machine->span[next].start : UINT64_MAX;
}

unsigned numa_node_of_cpu(const struct numa *machine, uint32_t apic_id)
{
	for (unsigned i = 0; i < machine->n_cpus; i++)
		if (machine->cpu[i].apic_id == apic_id)
			return machine->cpu[i].node;
	return 0;
}

unsigned numa_order(const struct numa *machine, unsigned from, uint8_t ret[NUMA_NODE_MAX])
{
	const uint8_t *distance = machine->distance[from];
	unsigned n = 0;

	for (unsigned step = 0; step < machine->n_nodes; step++) {
		unsigned node = (from + step) % machine->n_nodes, i = n;

		if (!numa_set_has(machine->with_memory, node))
			continue;
		for (; i > 0 && distance[ret[i - 1]] > distance[node]; i--)
			ret[i] = ret[i - 1];
		ret[i] = (uint8_t)node;
		n++;
	}
	return n;
}

unsigned numa_home_of_cpu(const struct numa *machine, uint32_t apic_id)
{
	uint8_t order[NUMA_NODE_MAX];
	unsigned node = numa_node_of_cpu(machine, apic_id);

	return numa_order(machine, node, order) > 0 ? order[0] : node;
}

bool numa_nodes_exist(const uint64_t nodes[NUMA_NODE_WORDS])
{
	uint64_t found = 0;

	for (unsigned i = 0; i < NUMA_NODE_WORDS; i++)
		found |= nodes[i] & numa.with_memory[i];
	return found != 0;
}
