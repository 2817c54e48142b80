/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

#define NUMA_NODE_MAX	128 /* as many as QEMU's host-nodes can name */
#define NUMA_SPAN_MAX	512
#define NUMA_CPU_MAX	512
#define NUMA_LOCAL	10 /* distance of a node to itself */
#define NUMA_REMOTE	20 /* to any other, where the firmware does not say */
#define NUMA_NODE_WORDS (NUMA_NODE_MAX / 64)

/* In a set of nodes, bit n % 64 of word n / 64 is node n. */
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
 * The machine's nodes, numbered as Linux numbers them: proximity domains in the
 * order in which the SRAT first names them, processors (and initiators) before
 * memory. Every address belongs to a node: one that the SRAT does not name to
 * that of the memory below it.
 */
struct numa {
	uint32_t n_nodes;
	uint32_t n_spans; /* sorted; the first one starts at 0, neighbours differ in their nodes */
	uint32_t n_cpus;
	uint32_t domain[NUMA_NODE_MAX]; /* proximity domain of each node */
	struct numa_span span[NUMA_SPAN_MAX];
	struct numa_cpu cpu[NUMA_CPU_MAX];
	uint8_t distance[NUMA_NODE_MAX][NUMA_NODE_MAX]; /* from, to; SLIT's units */
	uint64_t memory[NUMA_NODE_MAX];			/* bytes, as numa_add_memory() was told */
	uint64_t with_memory[NUMA_NODE_WORDS];		/* the nodes that have any */
};

/*
 * The machine this runs on: one node with memory until main() knows better,
 * which is what the hosted tools go by. Constant after start-up.
 */
extern struct numa numa;

/* Whole ACPI tables, headers included, their checksums found right; NULL: there is none. */
struct numa_tables {
	const void *srat, *slit;
	uint64_t srat_len, slit_len;
};

/*
 * Read the tables; nothing beyond their lengths is touched. A SLIT that
 * contradicts itself is said and not used. ERR_NOTFOUND: no SRAT, or it names
 * no memory. ERR_CORRUPT, ERR_RANGE: it is damaged, or names more than fits,
 * which is said. Then '*ret' is a machine of one node. In any case no node has
 * memory yet.
 */
enum status numa_parse(const struct numa_tables *tables, struct numa *ret);

/* There is RAM in [start, start + len), free or not. */
void numa_add_memory(struct numa *machine, phys_t start, uint64_t len);

unsigned numa_node_of(const struct numa *machine, phys_t address);
/* The first address behind 'address' that is another node's; UINT64_MAX: there is none. */
phys_t numa_span_end(const struct numa *machine, phys_t address);
/* 0 for a processor which the SRAT does not name. */
unsigned numa_node_of_cpu(const struct numa *machine, uint32_t apic_id);

/*
 * The nodes with memory as seen from 'from', nearest first; of equally far ones
 * the next higher first, so that not all fall back on the same. Returns how
 * many there are.
 */
unsigned numa_order(const struct numa *machine, unsigned from, uint8_t ret[NUMA_NODE_MAX]);

/* The node a processor takes its memory from: its own, or the nearest that has any. */
unsigned numa_home_of_cpu(const struct numa *machine, uint32_t apic_id);

/* Whether at least one of the nodes is there and has memory: Linux binds to no others. */
bool numa_nodes_exist(const uint64_t nodes[NUMA_NODE_WORDS]);
