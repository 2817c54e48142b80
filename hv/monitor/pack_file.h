/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/memory_pack.h"

/*
 * The files of a VM's memory in compressed parts, for hv/monitor/output.h, which must know a file's
 * size at first: each part is made twice. The VM does not run; these functions take no lock, so the
 * caller holds the VM's where memory is read.
 */
struct pack_file {
	struct memory_pack pack;
	struct memory_pack start;      /* where the current part begins */
	struct memory_pack_work *work; /* NULL: not begun */
	uint64_t size;		       /* of the part; complete when is_measured is set */
	uint64_t made;		       /* bytes of the part that were made again */
	size_t out_len, out_at;	       /* of work->out: made, and taken */
	bool is_measured;
};

/* Begin with the first part. ERR_NOMEM: there are no frames to work in. */
enum status pack_file_begin(struct pack_file *file, struct guest_memory *memory, uint64_t id,
			    phys_t below);
/* Free what pack_file_begin() took, if it was called. */
void pack_file_end(struct pack_file *file);

/* Measure some more of the part, until is_measured is set. Reads memory. */
void pack_file_measure(struct pack_file *file);
/*
 * The part's next bytes, made if all before were taken: '*ret_len' of them, or 0 if there are none
 * yet. Reads memory. ERR_BUSY: the memory is not what it was when it was measured.
 */
enum status pack_file_bytes(struct pack_file *file, const void **ret, size_t *ret_len);
void pack_file_took(struct pack_file *file, size_t len);
/* The part is complete: begin with the next one. False: it was the last. */
bool pack_file_next(struct pack_file *file);
