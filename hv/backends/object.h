/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/*
 * The machine's number of processors, for cpu-affinity=. Set once, before a configuration is read.
 * 0: unknown, as in the linter; every processor may be named.
 */
extern uint32_t object_machine_cpus;

/* No machine has CPUs or nodes of these numbers: naming them has no effect. */
#define CONTEXT_CPUS_MAX  256
#define CONTEXT_NODES_MAX 128

/*
 * -object thread-context,id=,cpu-affinity=,node-affinity=: the processors that fill the memory of
 * the backends that name it in prealloc-context=. Without an affinity: all.
 */
struct thread_context {
	struct thread_context *next;
	const char *id;
	struct diag_place place; /* of the -object argument */
	struct options options;	 /* as written */
	bool has_cpus, has_nodes;
	uint64_t cpus[CONTEXT_CPUS_MAX / 64];	/* bit n % 64 of [n / 64]: the machine's CPU n */
	uint64_t nodes[CONTEXT_NODES_MAX / 64]; /* the CPUs of these nodes */
	bool broken;				/* an error in it was reported */
};

/*
 * -object rng-builtin,id= and rng-random,id=,filename=: where a virtio-rng-device has its bytes
 * from. There is one source, the machine's.
 */
struct rng_object {
	struct rng_object *next;
	const char *id;
	bool is_json;
};

/* Lists to append objects to. */
struct object_lists {
	struct backend **backends;
	struct thread_context **contexts;
	struct rng_object **rngs;
};

/*
 * Read the argument of an -object of any type, "key=value,..." or JSON, and append the object to
 * one of the lists. Types and ranges are checked in QEMU's order. ERR_INVAL: reported; an
 * object that has an id is in its list nevertheless, broken. ERR_NOMEM: the arena is full, not
 * reported.
 */
enum status object_read(const struct word *argument, const struct object_lists *lists,
			struct arena *arena, struct diag *diag);

/*
 * The backend with this id, which may be written as a path; the empty id finds a backend that is
 * the only one. NULL: there is none.
 */
struct backend *backend_find(struct backend *list, const char *id);

/*
 * After all options of a VM are read: fill in the defaults, then check what QEMU checks when it
 * makes the objects, before it opens any file. Sets each backend's context and kind. Errors are
 * reported, and their objects are broken.
 */
void objects_resolve(struct backend *backends, struct thread_context *contexts,
		     const struct backend_defaults *defaults, struct diag *diag);

/*
 * The same two steps for a backend that is added to a running VM, as QEMU's object_add and
 * object-add do: JSON, or "keyval". It is appended to no list; 'backends' are those that are there.
 * JSON's member "vm" is ignored. ERR_INVAL: reported; ERR_NOMEM: the arena is full, not reported.
 */
enum status object_read_added(const struct word *argument, struct arena *arena, struct diag *diag,
			      struct backend **ret);
enum status object_resolve_added(struct backend *backend, const struct backend *backends,
				 const struct thread_context *contexts,
				 const struct backend_defaults *defaults, struct diag *diag);
