/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Blocks in the LZ4 block format (lz4_Block_format.md of the LZ4 project). The compressor takes the
 * first match that it finds, as the fast compressors of the format do.
 */
#define LZ4_INPUT_MAX  65536 /* bytes: distances and the table's places have 16 bits */
#define LZ4_BOUND(len) ((len) + (len) / 255 + 16)

/* Places of the block's earlier bytes, by a hash of four of them. Scratch; needs no initial value.
 */
struct lz4_table {
	uint16_t place[4096];
};

/* Compress 'len' bytes into 'out', which has room for LZ4_BOUND(len). Returns the length. */
size_t lz4_compress(const uint8_t *data, size_t len, struct lz4_table *table, uint8_t *out);

/*
 * Decompress a block of 'len' bytes, which may come from anywhere, into exactly 'size' bytes.
 * ERR_CORRUPT: it is not a block of so many bytes; 'out' may have been written.
 */
enum status lz4_decompress(const uint8_t *data, size_t len, uint8_t *out, size_t size);
