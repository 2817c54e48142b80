/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/arena.h"
#include "hv/backends/diag.h"
#include "hv/backends/image.h"
#include "hv/status.h"
#include "hv/types.h"

enum on_off_auto { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF };

enum backend_type { BACKEND_FILE, BACKEND_RAM };

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
	uint64_t size;	      /* bytes */
	uint64_t align;	      /* 0: the page size */
	uint64_t offset;
	bool share;
	bool readonly;
	enum on_off_auto rom;
	struct diag_place place; /* of the -object argument */

	enum mem_kind kind;   /* set by backend_resolve() */
	struct image *image;  /* set by backend_open(); NULL: anonymous memory, zeros */
};

/* QEMU's rules for share x readonly x rom, and its words for what it refuses. */
enum status backend_resolve(struct backend *backend, struct diag *diag);
