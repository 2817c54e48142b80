/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes, once or repeated: liblz4 gets them back. */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "hv/lib/assert.h"
#include "hv/lib/lz4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n_copies = size > 0 ? 1 + data[0] % 64 : 1, len = size * n_copies;
	struct lz4_table table;
	uint8_t *in, *out, *back;
	size_t n;

	if (len > LZ4_INPUT_MAX)
		return 0;
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
	free(in);
	free(out);
	free(back);
	return 0;
}
