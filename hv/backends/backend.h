/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/backends/image.h"
#include "hv/backends/option.h"
#include "hv/frame/frame.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

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
	bool prealloc, has_prealloc; /* has_x: the option was written, no default of the VM's */
	bool merge, has_merge;
	bool dump, has_dump;
	bool reserve, has_reserve;
	bool discard_data;
	bool canonical_name;		      /* messages about its memory name it "/objects/ID" */
	uint32_t prealloc_threads;	      /* as many as the VM has vCPUs if not given */
	const char *prealloc_context;	      /* id of a thread-context; NULL: none */
	const struct thread_context *context; /* the same, set by objects_resolve() */
	enum backend_policy policy;
	bool has_host_nodes;
	uint64_t host_nodes[2];		  /* bit n % 64 of [n / 64]: node n */
	struct diag_place place;	  /* of the -object argument */
	struct diag_place mem_path_place; /* where no option mem-path= was written */
	struct options options;		  /* as written */

	enum mem_kind kind;  /* set by backend_resolve() */
	struct image *image; /* set by backend_open(); NULL: anonymous memory, zeros */
	bool broken;	     /* it has an error, which was said: no further ones on its account */
	bool busy;	     /* a guest's RAM or a DIMM uses it */
};

/* What the rest of the command line says about backends that do not say it themselves. */
struct backend_defaults {
	bool merge;		   /* -machine mem-merge= */
	bool dump;		   /* -machine dump-guest-core= */
	bool prealloc;		   /* -mem-prealloc */
	unsigned prealloc_threads; /* -smp's processors */
};

/*
 * Are frames set aside for the backend's private memory? For what says reserve=on itself: as on
 * Linux by default, memory that says nothing may be promised more often than it is there.
 * With prealloc=on they are taken at once instead.
 */
bool backend_has_reserve(const struct backend *backend);

/* Where the frames of the backend's memory come from. */
struct frame_policy backend_frame_policy(const struct backend *backend);

/*
 * The object goes: with discard-data=on, share=on and readonly=off its window of the image becomes
 * zeros. No VM that uses the backend may run any more.
 */
void backend_discard(const struct backend *backend);
