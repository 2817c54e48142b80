/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/*
 * How many processors the machine has, for cpu-affinity=; 0: not known, as on a desk, where any
 * may be named. Set once, before a configuration is read.
 */
extern uint32_t object_machine_cpus;

/* CPUs and nodes beyond these are known to no machine: naming them is naming nothing. */
#define CONTEXT_CPUS_MAX  256
#define CONTEXT_NODES_MAX 128

/*
 * -object thread-context,id=,cpu-affinity=,node-affinity=: which processors fill the memory of
 * the backends that name it in prealloc-context=. Without affinity: all.
 */
struct thread_context {
	struct thread_context *next;
	const char *id;
	struct diag_place place; /* of the -object argument */
	struct options options;	 /* as written */
	bool has_cpus, has_nodes;
	uint64_t cpus[CONTEXT_CPUS_MAX / 64];	/* bit n % 64 of [n / 64]: the machine's CPU n */
	uint64_t nodes[CONTEXT_NODES_MAX / 64]; /* the CPUs of these nodes */
	bool broken;				/* it has an error, which was said */
};

/*
 * Read the argument of an -object of any type, "key=value,..." or JSON, and append what
 * it defines to one of the two lists. Types, ranges and defaults are checked in QEMU's order. An
 * error is said and ends in ERR_INVAL; an object whose id can be told is in its list
 * nevertheless, broken. ERR_NOMEM: the arena is full, not said.
 */
enum status object_read(const struct word *argument, struct backend **backends,
			struct thread_context **contexts, struct arena *arena, struct diag *diag);

/*
 * The backend with this id, which may be written as a path; the empty id finds a backend that is
 * the only one. NULL: there is none.
 */
struct backend *backend_find(struct backend *list, const char *id);

/*
 * Once all options of a VM are read: fill in the defaults, then check what QEMU checks when it
 * makes the objects, before it looks at any file. Sets each backend's context and
 * kind. Errors are said, the objects broken.
 */
void objects_resolve(struct backend *backends, struct thread_context *contexts,
		     const struct backend_defaults *defaults, struct diag *diag);
