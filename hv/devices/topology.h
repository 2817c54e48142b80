/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The most virtual processors a VM can have. */
#define TOPOLOGY_MAX_CPUS 255

/* The parts of an APIC ID, from the low bits up. */
enum topology_level {
	TOPOLOGY_THREAD,
	TOPOLOGY_CORE,
	TOPOLOGY_MODULE,
	TOPOLOGY_DIE,
	TOPOLOGY_SOCKET,
	N_TOPOLOGY_LEVELS
};

/*
 * The processors of a guest: each socket has count[TOPOLOGY_DIE] dies, and so on. No count is 0;
 * their product is the number of places. The first n_cpus places are taken.
 */
struct cpu_topology {
	uint16_t n_cpus; /* 1 to TOPOLOGY_MAX_CPUS */
	uint16_t count[N_TOPOLOGY_LEVELS];
};

/* One processor in its own socket. */
#define TOPOLOGY_ONE_CPU ((struct cpu_topology){.n_cpus = 1, .count = {1, 1, 1, 1, 1}})

/*
 * The number of processor 'index' (of all places) at a level, below that level's count: which
 * thread of its core, which core of its module, ...
 */
unsigned topology_part(const struct cpu_topology *topology, unsigned index,
		       enum topology_level level);

/*
 * Number of processors in one unit of the level: 1 in a thread, count[TOPOLOGY_THREAD] in a core,
 * ...
 */
unsigned topology_size(const struct cpu_topology *topology, enum topology_level level);

/* Places for processors, taken or not: QEMU's 'maxcpus'. */
unsigned topology_places(const struct cpu_topology *topology);

/* Bits of the APIC ID below those of the level: each count takes whole bits. */
unsigned topology_shift(const struct cpu_topology *topology, enum topology_level level);

/* APIC ID of processor 'index'. Equal to the index only if all counts are powers of 2. */
uint32_t topology_apic_id(const struct cpu_topology *topology, unsigned index);
