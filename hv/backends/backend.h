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

/* What share, readonly and rom together mean to the guest. A running VM reads only this. */
enum mem_kind {
	MEM_ROM,    /* guest writes are dropped */
	MEM_COW,    /* guest writes stay private: RAM, and the clones of a template */
	MEM_SHARED, /* guest writes change the image */
};

/*
 * One -object memory-backend-file or memory-backend-ram, in the arena of its configuration.
 * object_read() makes it, objects_resolve() and backend_open() complete it. It is constant when
 * guests run, except 'dump' and 'merge', which QMP may change, and 'n_discarded'.
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
	bool prealloc, has_prealloc; /* has_x: x was given with the object */
	bool merge, has_merge;
	bool dump, has_dump;
	bool reserve, has_reserve;
	bool discard_data;
	bool canonical_name;		      /* messages call its memory "/objects/ID" */
	uint32_t prealloc_threads;	      /* default: the VM's number of vCPUs */
	const char *prealloc_context;	      /* id of a thread-context; NULL: none */
	const struct thread_context *context; /* the object of that id; set by objects_resolve() */
	enum backend_policy policy;
	bool has_host_nodes;
	uint64_t host_nodes[2];		  /* bit n % 64 of [n / 64]: node n */
	struct diag_place place;	  /* of the -object argument */
	struct diag_place mem_path_place; /* of -mem-path; used if mem-path= was not given */
	struct options options;		  /* as written */

	enum mem_kind kind;  /* set by backend_resolve() */
	struct image *image; /* set by backend_open(); NULL: anonymous memory of zeros */
	bool broken;	     /* an error in it was reported; it causes no others */
	bool busy;	     /* a guest's RAM or a DIMM uses it */
	/* Bytes that backend_discard_some() has zeroed. */
	uint64_t n_discarded;
};

/* What other options of a VM give to backends that do not set it themselves. */
struct backend_defaults {
	bool merge;		   /* -machine mem-merge= */
	bool dump;		   /* -machine dump-guest-core= */
	bool prealloc;		   /* -mem-prealloc */
	unsigned prealloc_threads; /* the number of vCPUs of -smp */
};

/*
 * Whether frames are reserved for the backend's private memory. Only an explicit reserve=on
 * reserves them: by default memory may be overcommitted, as on Linux. With prealloc=on the frames
 * are allocated immediately instead.
 */
bool backend_has_reserve(const struct backend *backend);

/* Where the frames of the backend's memory come from. */
struct frame_policy backend_frame_policy(const struct backend *backend);

/*
 * What discard-data=on asks for when the object is removed, as work for image_work_some(): zeros in
 * the backend's window of the image if guests can write to it. No VM that uses the backend may run.
 */
struct image_work backend_discards(const struct backend *backend);
/* Do the next n bytes of that work. False: all is done. */
bool backend_discard_some(struct backend *backend, uint64_t n);
