/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes, once or repeated: liblz4 gets them back, and so does Stencil. The same bytes as a
 * block: what liblz4 makes of it, Stencil does, too.
 */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "hv/lib/assert.h"
#include "hv/lib/lz4.h"

#define ROOM_MAX 4096 /* of what a block becomes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each refuses more in another way: blocks that end early, and the distance 0. */
static void decompress(const uint8_t *block, size_t len, size_t room)
{
	static uint8_t theirs[ROOM_MAX];
	int n = LZ4_decompress_safe((const char *)block, (char *)theirs, (int)len, (int)room);
	size_t size = n >= 0 ? (size_t)n : room;
	uint8_t *ours = malloc(size + 1);

	assert(ours != NULL);
	if (lz4_decompress(block, len, ours, size) == OK && n >= 0)
		assert(memcmp(ours, theirs, size) == 0);
	free(ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n_copies = size > 0 ? 1 + data[0] % 64 : 1, len = size * n_copies;
	struct lz4_table table;
	uint8_t *in, *out, *back;
	size_t n;

	if (len > LZ4_INPUT_MAX)
		return 0;
	if (size >= 2)
		decompress(data + 2, size - 2, (data[0] | (size_t)data[1] << 8) % ROOM_MAX);
	in = malloc(len + 1); /* of their own, so that ASan checks their ends */
	out = malloc(LZ4_BOUND(len));
	back = malloc(len + 1);
	assert(in != NULL && out != NULL && back != NULL);
	for (size_t i = 0; i < n_copies && size > 0; i++)
		memcpy(in + i * size, data, size);
	n = lz4_compress(in, len, &table, out);
	assert(n <= LZ4_BOUND(len));
	assert(LZ4_decompress_safe((char *)out, (char *)back, (int)n, (int)len) == (int)len);
	assert(memcmp(in, back, len) == 0);
	memset(back, 0, len);
	assert(lz4_decompress(out, n, back, len) == OK);
	assert(memcmp(in, back, len) == 0);
	free(in);
	free(out);
	free(back);
	return 0;
}
