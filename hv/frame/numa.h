/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

#define NUMA_NODE_MAX	128 /* the limit of QEMU's host-nodes */
#define NUMA_SPAN_MAX	512
#define NUMA_CPU_MAX	1024
#define NUMA_LOCAL	10 /* distance of a node to itself */
#define NUMA_REMOTE	20 /* to any other node, unless the firmware says otherwise */
#define NUMA_NODE_WORDS (NUMA_NODE_MAX / 64)

/* In a set of nodes, node n is bit n % 64 of word n / 64. */
static inline bool numa_set_has(const uint64_t set[NUMA_NODE_WORDS], unsigned node)
{
	return set[node / 64] >> (node % 64) & 1;
}

static inline void numa_set_add(uint64_t set[NUMA_NODE_WORDS], unsigned node)
{
	set[node / 64] |= BIT(node % 64);
}

/* From 'start' to the next span's start, or to the end of all addresses. */
struct numa_span {
	phys_t start;
	uint32_t node;
};

struct numa_cpu {
	uint32_t apic_id;
	uint32_t node;
};

/*
 * The machine's nodes, numbered as in Linux: proximity domains in the order in
 * which the SRAT first names them, processors (and initiators) before memory.
 * Every address belongs to a node: addresses that the SRAT does not name belong
 * to the node of the memory below them.
 */
struct numa {
	uint32_t n_nodes;
	uint32_t n_spans; /* sorted; the first starts at 0; neighbors differ in node */
	uint32_t n_cpus;
	uint32_t domain[NUMA_NODE_MAX]; /* proximity domain of each node */
	struct numa_span span[NUMA_SPAN_MAX];
	struct numa_cpu cpu[NUMA_CPU_MAX];
	uint8_t distance[NUMA_NODE_MAX][NUMA_NODE_MAX]; /* from, to; in units of the SLIT */
	uint64_t memory[NUMA_NODE_MAX];			/* bytes, the sum of numa_add_memory() */
	uint64_t with_memory[NUMA_NODE_WORDS];		/* the nodes that have memory */
};

/*
 * This machine: one node with memory until main() has read the tables. The
 * hosted tools keep that node. Constant after start-up.
 */
extern struct numa numa;

unsigned numa_node_of(const struct numa *machine, phys_t address);
/* The first address after 'address' that belongs to another node, UINT64_MAX if there is none. */
phys_t numa_span_end(const struct numa *machine, phys_t address);
/* 0 for a processor that the SRAT does not name. */
unsigned numa_node_of_cpu(const struct numa *machine, uint32_t apic_id);

/*
 * List the nodes with memory by their distance from node 'from', nearest first.
 * Of equally distant ones the next higher is first, so that not all nodes fall
 * back on the same one. Returns how many there are.
 */
unsigned numa_order(const struct numa *machine, unsigned from, uint8_t ret[NUMA_NODE_MAX]);

/* The node that a processor takes its memory from: its own, or the nearest with memory. */
unsigned numa_home_of_cpu(const struct numa *machine, uint32_t apic_id);

/* Whether at least one node of the set exists and has memory: Linux binds to no other sets. */
bool numa_nodes_exist(const uint64_t nodes[NUMA_NODE_WORDS]);
