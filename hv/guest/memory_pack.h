/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"
#include "hv/lib/memory_part.h"

/*
 * The file of memory of hv/guest/saved_memory.h in compressed parts: writing and reading them. The
 * VM does not run meanwhile, and its lock is held.
 */

/* The largest part, in bytes. A part is one file, in one run of frames. */
#define MEMORY_PART_MAX GIB(1)

/* Where the bytes are made. */
struct memory_pack_work {
	uint8_t pages[BLOCK_MAX];
	uint8_t below[PAGE_SIZE];
	uint8_t out[PART_PUT_SIZE_MAX];
	struct lz4_table table;
};

/*
 * Writes the parts. A copy of this struct, with the same 'work', makes the same bytes again, as
 * long as the memory has the same bytes.
 */
struct memory_pack {
	struct guest_memory *memory;
	struct memory_pack_work *work;
	uint64_t id;
	uint64_t part_max; /* bytes */
	phys_t below; /* save what differs from the tree of this root; 0: all that is not zeros */
	uint32_t number; /* of the current part */
	uint64_t len;	 /* bytes of it so far */
	uint64_t at;	 /* in the file of memory */
	bool is_at_end;	 /* the part is complete, */
	bool is_last;	 /* and no other follows */
};

/* Begin with the first part. */
void memory_pack_begin(struct memory_pack *pack, struct guest_memory *memory,
		       struct memory_pack_work *work);
/*
 * Make the part's next bytes in work->out, and return how many. 0: unchanged pages were passed
 * over. Not to be called any more when is_at_end is set.
 */
size_t memory_pack_some(struct memory_pack *pack);
/* Begin with the next part. */
void memory_pack_next_part(struct memory_pack *pack);

/* Reads the parts into a VM that has not run. All other members begin as zeros. */
struct memory_unpack {
	struct guest_memory *memory;
	uint8_t *pages; /* BLOCK_MAX bytes of scratch */
	uint64_t id;
	bool is_layer;	   /* pages that no block has stay as they are; else they become zeros */
	uint64_t at;	   /* in the file of memory: what is before is as it was saved */
	uint64_t to_clear; /* the first page from 'at' on that is not zeros; if below, not known */
	struct part_reader reader;
};

/*
 * Begin with the next part, any bytes, which stay where they are. ERR_CORRUPT, ERR_UNSUPPORTED:
 * reader.why says what is wrong.
 */
enum status memory_unpack_open(struct memory_unpack *unpack, const void *data, size_t len);
/*
 * Read some hundred blocks of the part, until reader.is_at_end is set. ERR_CORRUPT, ERR_RANGE
 * (pages that the VM has not): as above. ERR_NOMEM: there are no frames for the pages.
 */
enum status memory_unpack_some(struct memory_unpack *unpack);
/* After the last part, the one with reader.is_last. ERR_NOMEM. */
enum status memory_unpack_end(struct memory_unpack *unpack);
