/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/arena.h"
#include "hv/backends/diag.h"
#include "hv/backends/image.h"
#include "hv/backends/option.h"
#include "hv/status.h"
#include "hv/types.h"

enum on_off_auto { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF };

enum backend_type { BACKEND_FILE, BACKEND_RAM };

enum backend_policy { POLICY_DEFAULT, POLICY_PREFERRED, POLICY_BIND, POLICY_INTERLEAVE };

/* What the options mean to the guest. Nobody looks at share, readonly and rom after this. */
enum mem_kind {
	MEM_ROM,    /* guest writes are dropped */
	MEM_COW,    /* guest writes stay private: RAM, and clones of a template */
	MEM_SHARED, /* guest writes change the image */
};

/*
 * One -object memory-backend-file or memory-backend-ram. Parsed into an arena
 * by backend_parse(), constant after backend_open().
 */
struct backend {
	struct backend *next;
	const char *id;
	enum backend_type type;
	const char *mem_path; /* NULL for memory-backend-ram */
	uint64_t size;	      /* bytes; any number for memory-backend-ram, whole pages for a file */
	uint64_t align;	      /* 0: the page size */
	uint64_t offset;
	bool share;
	bool readonly;
	enum on_off_auto rom;
	enum backend_policy policy;
	bool has_host_nodes;
	struct diag_place place; /* of the -object argument */
	struct diag_place mem_path_place;
	struct options options; /* as written */

	enum mem_kind kind;  /* set by backend_resolve() */
	struct image *image; /* set by backend_open(); NULL: anonymous memory, zeros */
	bool broken;	     /* it has an error, which was said: no further ones on its account */
	bool busy;	     /* a guest's RAM or a DIMM uses it */
};

/*
 * Parse the argument of an -object: types, ranges and defaults, in the order in which QEMU
 * looks at them. 'others' are the objects before it, for duplicate ids. An error is
 * said and ends in ERR_INVAL; then '*ret' is a broken backend if the id can be told,
 * else NULL. ERR_NOMEM: the arena is full, not said.
 */
enum status backend_parse(const struct word *argument, const struct backend *others,
			  struct arena *arena, struct diag *diag, struct backend **ret);

/* QEMU's rules for share x readonly x rom, and its words for what it refuses. */
enum status backend_resolve(struct backend *backend, struct diag *diag);

/*
 * Find the backend's image, apply QEMU's file rules and its NUMA rules, in its
 * order, and at last refuse what does not work in this version. An image
 * that is not at a page boundary is moved to one. ERR_INVAL: said.
 */
enum status backend_open(struct backend *backend, struct image *images, struct diag *diag);
