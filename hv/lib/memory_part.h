/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/lz4.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The format of a file that holds a part of a VM's saved memory, compressed. All numbers are
 * little-endian.
 *
 *	8 bytes		"STENCILM"
 *	4		version of the format: 1
 *	4		number of the part: 0, 1, ...
 *	8		the id of the save, which its state has, too
 * blocks: 8		where the block's pages are in the memory
 *	  4		how many bytes of pages it stands for; 0: the part ends
 *	  4		how many bytes follow
 *	  4		CRC-32 of the 16 bytes before this field, and of those that follow
 *
 * Places and sizes are whole pages, and places ascend through all parts. If no bytes follow, the
 * pages are zeros; if as many follow as there are bytes of pages, they are those; else they are a
 * block in the LZ4 block format. The block that ends a part is the last of the file: its place is
 * 1 if another part follows, and 0 in the last one.
 */
#define PART_VERSION	  1
#define PART_MAGIC	  "STENCILM"
#define PART_HEAD_SIZE	  24
#define BLOCK_HEAD_SIZE	  20
#define BLOCK_PAGES_MAX	  4
#define BLOCK_MAX	  (BLOCK_PAGES_MAX * PAGE_SIZE)
#define PART_WHY_MAX	  160 /* bytes of a message, including its NUL */
#define PART_PUT_SIZE_MAX (BLOCK_HEAD_SIZE + LZ4_BOUND(BLOCK_MAX))

struct part_block {
	uint64_t place; /* bytes from the beginning of the memory */
	uint32_t size;	/* bytes of pages, up to BLOCK_MAX */
	uint32_t len;	/* bytes that follow */
	const uint8_t *data;
};

/* The head of a part. Returns PART_HEAD_SIZE. */
size_t part_put_head(uint8_t *out, uint64_t id, uint32_t number);
/*
 * A block for 'size' bytes of pages, which is up to BLOCK_MAX. 'out' has room for
 * PART_PUT_SIZE_MAX. Returns the length.
 */
size_t part_put_block(uint8_t *out, uint64_t place, const uint8_t *pages, uint32_t size,
		      struct lz4_table *table);
/* The same for pages that are zeros. */
size_t part_put_zeros(uint8_t *out, uint64_t place, uint32_t size);
/* The end of a part. Returns BLOCK_HEAD_SIZE. */
size_t part_put_end(uint8_t *out, bool is_last);

/* Whether the bytes of a part, any bytes, end as those of the last one do. */
bool part_seems_last(const void *data, size_t len);

/* Reads parts one after the other. Begins as zeros. */
struct part_reader {
	const uint8_t *data; /* of the current part; must stay valid */
	size_t len, at;
	uint32_t n_parts; /* that were opened */
	uint64_t end;	  /* of the block before: the next one is not below */
	bool is_at_end, is_last;
	char why[PART_WHY_MAX]; /* after an error: one line without a newline */
};

/* Begin with the next part, which may be any bytes. ERR_CORRUPT, ERR_UNSUPPORTED. */
enum status part_open(struct part_reader *reader, const void *data, size_t len, uint64_t id);
/* The next block of the part, unless is_at_end is set then. ERR_CORRUPT. */
enum status part_next(struct part_reader *reader, struct part_block *ret);
/* The block's pages. 'out' has room for its size. ERR_CORRUPT. */
enum status part_unpack(struct part_reader *reader, const struct part_block *block, uint8_t *out);
