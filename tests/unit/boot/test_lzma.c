/* SPDX-License-Identifier: BSD-2-Clause */
/* What liblzma packs is unpacked; what is not whole is refused, or ends in other bytes, within
 * bounds. */
#include "boot/lzma.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

enum { LARGE = 300000 };

static uint8_t plain[LARGE], stream[2 * LARGE];

/* As in boot/pack. */
static size_t pack(size_t size)
{
	lzma_options_lzma options;
	const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	size_t len = 0;

	assert_false(lzma_lzma_preset(&options, 9 | LZMA_PRESET_EXTREME));
	options.dict_size = 1 << 20;
	options.lc = 3;
	options.lp = 0;
	options.pb = 0;
	assert_int_equal(
		lzma_raw_buffer_encode(filters, NULL, plain, size, stream, &len, sizeof(stream)),
		LZMA_OK);
	return len;
}

/* Both buffers are of their own, so that ASan checks their ends. */
static bool unpack(size_t len, size_t size, bool *ret_is_same)
{
	uint8_t *in = malloc(len + 1), *out = malloc(size + 1);
	bool is_whole;

	assert_true(in != NULL && out != NULL);
	memcpy(in + 1, stream, len);
	is_whole = lzma_unpack(in + 1, len, out + 1, size);
	*ret_is_same = is_whole && memcmp(out + 1, plain, size) == 0;
	free(in);
	free(out);
	return is_whole;
}

static bool comes_back(size_t size)
{
	bool is_same;

	return unpack(pack(size), size, &is_same) && is_same;
}

static uint32_t random_below(uint32_t n)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)state * n >> 32);
}

/* Literals, and copies from near and far of short and long pieces. */
static void fill(size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t len = 1 + random_below(random_below(8) == 0 ? 2000 : 12);
		size_t distance = 1 + random_below(random_below(2) == 0 ? 16 : LARGE);

		len = len < size - at ? len : size - at;
		for (; len > 0; len--, at++)
			plain[at] =
				distance <= at ? plain[at - distance] : (uint8_t)random_below(256);
	}
}

static void what_was_packed_comes_back(void **state)
{
	for (size_t size = 0; size < 40; size++) {
		fill(size);
		assert_true(comes_back(size));
	}
	for (unsigned n = 0; n < 30; n++) {
		size_t size = random_below(20000);

		fill(size);
		assert_true(comes_back(size));
	}
	fill(LARGE);
	assert_true(comes_back(LARGE));
	for (size_t i = 0; i < LARGE; i++)
		plain[i] = (uint8_t)random_below(256);
	assert_true(comes_back(LARGE));
	memset(plain, 0, LARGE);
	assert_true(comes_back(LARGE));
}

static void another_size_is_refused(void **state)
{
	bool is_same;
	size_t len;

	fill(3000);
	len = pack(3000);
	for (size_t size = 0; size < 4000; size++)
		assert_int_equal(unpack(len, size, &is_same), size == 3000);
}

static void each_truncated_stream_is_refused(void **state)
{
	bool is_same;
	size_t len;

	fill(3000);
	len = pack(3000);
	for (size_t n = 0; n < len; n++)
		assert_false(unpack(n, 3000, &is_same));
	stream[len] = 0;
	assert_false(unpack(len + 1, 3000, &is_same));
}

/* The checksum of the file is to notice it; the decoder ends, and has other bytes if any. */
static void each_flipped_bit_is_survived(void **state)
{
	bool is_same;
	size_t len;
	unsigned n_refused = 0;

	fill(3000);
	len = pack(3000);
	for (size_t at = 0; at < 8 * len; at++) {
		stream[at / 8] ^= (uint8_t)(1 << at % 8);
		n_refused += !unpack(len, 3000, &is_same);
		assert_false(is_same);
		stream[at / 8] ^= (uint8_t)(1 << at % 8);
	}
	assert_true(n_refused > 7 * len);
}

static void any_bytes_are_survived(void **state)
{
	bool is_same;

	for (unsigned n = 0; n < 20000; n++) {
		size_t len = random_below(300);

		for (size_t i = 0; i < len; i++)
			stream[i] = i == 0 ? 0 : (uint8_t)random_below(256);
		(void)unpack(len, random_below(3000), &is_same);
	}
	memset(stream, 0xff, 100);
	stream[0] = 0;
	assert_false(unpack(100, 3000, &is_same)); /* no encoder begins like this */
	memset(stream, 0, 100);
	assert_false(unpack(100, 3000, &is_same));
	stream[0] = 1;
	assert_false(unpack(100, 3000, &is_same));
}

/* The stream at the end of the memory that it unpacks to, as in the image. */
static void a_stream_is_unpacked_in_place(void **state)
{
	static uint8_t memory[LARGE + 64];
	size_t len;

	fill(LARGE / 2);
	memset(plain + LARGE / 2, 0, LARGE - LARGE / 2);
	len = pack(LARGE);
	memcpy(memory + sizeof(memory) - len, stream, len);
	assert_true(lzma_unpack(memory + sizeof(memory) - len, len, memory, LARGE));
	assert_memory_equal(memory, plain, LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_back),
		cmocka_unit_test(another_size_is_refused),
		cmocka_unit_test(each_truncated_stream_is_refused),
		cmocka_unit_test(each_flipped_bit_is_survived),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(a_stream_is_unpacked_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
