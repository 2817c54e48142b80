/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a stream: what Stencil unpacks, liblzma unpacks to the same bytes. Once packed by
 * liblzma, any bytes come back.
 */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "boot/lzma.h"
#include "hv/lib/assert.h"

enum { ROOM = 4096, SLACK = 200 };

static lzma_options_lzma options;
static const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, NULL}};

static void set_up(void)
{
	assert(!lzma_lzma_preset(&options, 1));
	options.dict_size = 64 << 10;
	options.lc = 3;
	options.lp = 0;
	options.pb = 0;
}

/* A stream of its own, so that ASan checks its ends. */
static bool unpack(const uint8_t *stream, size_t len, uint8_t *out, size_t size)
{
	uint8_t *in = malloc(len + 1);
	bool is_whole;

	assert(in != NULL);
	memcpy(in + 1, stream, len);
	is_whole = lzma_unpack(in + 1, len, out, size);
	free(in);
	return is_whole;
}

static void check_unpack(const uint8_t *stream, size_t len, size_t size)
{
	static uint8_t theirs[ROOM];
	uint8_t *ours = malloc(size + 1);
	size_t in_at = 0, out_at = 0;

	assert(ours != NULL);
	if (unpack(stream, len, ours + 1, size)) {
		assert(lzma_raw_buffer_decode(filters, NULL, stream, &in_at, len, theirs, &out_at,
					      sizeof(theirs)) == LZMA_OK);
		assert(in_at == len && out_at == size && memcmp(ours + 1, theirs, size) == 0);
	}
	free(ours);
}

static void check_pack(const uint8_t *data, size_t size)
{
	static uint8_t stream[ROOM + SLACK], back[ROOM];
	size_t len = 0;

	assert(lzma_raw_buffer_encode(filters, NULL, data, size, stream, &len, sizeof(stream)) ==
	       LZMA_OK);
	assert(unpack(stream, len, back, size));
	assert(memcmp(back, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3 || size > ROOM)
		return 0;
	if (options.dict_size == 0)
		set_up();
	if (data[0] & 0x80)
		check_pack(data + 1, size - 1);
	else
		check_unpack(data + 2, size - 2, (data[0] | (size_t)data[1] << 8) % ROOM);
	return 0;
}
