/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compressor makes, liblz4 decompresses; it is not much larger than what liblz4 makes. The
 * decompressor takes both, and refuses all else.
 */
#include "hv/lib/lz4.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

static uint8_t data[LZ4_INPUT_MAX], back[LZ4_INPUT_MAX];

/* The length of the compressed block, in memory of its own so that ASan checks its ends. */
static size_t check(size_t len)
{
	uint8_t *in = malloc(len + !len), *out = malloc(LZ4_BOUND(len));
	struct lz4_table *table = malloc(sizeof(*table));
	size_t n;

	assert_true(in != NULL && out != NULL && table != NULL);
	memcpy(in, data, len);
	memset(table, 0xff, sizeof(*table));
	n = lz4_compress(in, len, table, out);
	assert_in_range(n, 1, LZ4_BOUND(len));
	assert_int_equal(LZ4_decompress_safe((char *)out, (char *)back, (int)n, sizeof(back)), len);
	assert_memory_equal(back, data, len);
	memset(in, 0, len);
	assert_int_equal(lz4_decompress(out, n, in, len), OK);
	assert_memory_equal(in, data, len);
	free(in);
	free(out);
	free(table);
	return n;
}

static void every_length_of_one_byte_comes_back(void **state)
{
	memset(data, 'x', sizeof(data));
	for (size_t len = 0; len < 600; len++)
		check(len);
	assert_in_range(check(LZ4_INPUT_MAX), 1, LZ4_INPUT_MAX / 255 + 16);
}

static void random_bytes_come_back_a_little_longer(void **state)
{
	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t len = 0; len < 600; len++)
		check(len);
	check(LZ4_INPUT_MAX);
}

/* Copies of earlier bytes at all distances, and lengths around those that need another byte. */
static void mixed(unsigned seed)
{
	size_t at = 0;

	srand(seed);
	while (at < sizeof(data)) {
		size_t n = (size_t)rand() % (rand() % 8 ? 40 : 600), distance;

		distance = at > 0 ? 1 + (size_t)rand() % at : 0;
		for (size_t i = 0; i < n && at < sizeof(data); i++, at++)
			data[at] = distance && rand() % 50 ? data[at - distance] : (uint8_t)rand();
	}
}

static void blocks_are_about_as_short_as_liblz4s(void **state)
{
	static char theirs[LZ4_BOUND(LZ4_INPUT_MAX)];
	size_t ours = 0, other = 0;

	for (unsigned seed = 0; seed < 20; seed++) {
		mixed(seed);
		for (size_t len = 1; len <= LZ4_INPUT_MAX; len = len * 3 + 1) {
			ours += check(len);
			other += (size_t)LZ4_compress_default((char *)data, theirs, (int)len,
							      sizeof(theirs));
		}
	}
	assert_in_range(ours, 1, other * 5 / 4);
}

static void what_liblz4_makes_comes_back(void **state)
{
	static char theirs[LZ4_BOUND(LZ4_INPUT_MAX)];

	for (unsigned seed = 0; seed < 20; seed++) {
		mixed(seed);
		for (size_t len = 0; len <= LZ4_INPUT_MAX; len = len * 3 + 1) {
			int n = LZ4_compress_default((char *)data, theirs, (int)len,
						     sizeof(theirs));

			assert_true(n > 0);
			memset(back, 0, sizeof(back));
			assert_int_equal(lz4_decompress((uint8_t *)theirs, (size_t)n, back, len),
					 OK);
			assert_memory_equal(back, data, len);
		}
	}
}

/* Decompress a copy, so that ASan checks the ends of both. */
static enum status decompress(const void *block, size_t len, size_t size)
{
	uint8_t *in = malloc(len + !len), *out = malloc(size + !size);
	enum status status;

	assert_true(in != NULL && out != NULL);
	memcpy(in, block, len);
	status = lz4_decompress(in, len, out, size);
	memcpy(back, out, size);
	free(in);
	free(out);
	return status;
}

static void what_is_no_block_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, size;
	} bad[] = {
		{"", 0, 0},		       /* not even a token */
		{"\x10", 1, 1},		       /* no literal byte */
		{"\x10x", 2, 0},	       /* more than there is room for */
		{"\x10x", 2, 2},	       /* fewer bytes than promised */
		{"\xf0", 1, 15},	       /* a length that is cut */
		{"\xf0\xff", 2, 270},	       /* the same, in the middle */
		{"\x10x\x01", 3, 5},	       /* half a distance */
		{"\x10x\x00\x00\x00", 5, 5},   /* distance 0 */
		{"\x10x\x02\x00\x00", 5, 5},   /* before the beginning */
		{"\x10x\x01\x00", 4, 5},       /* ends in a match */
		{"\x10x\x01\x00\x00", 5, 4},   /* a match beyond the room */
		{"\x1fx\x01\x00", 4, 40},      /* a match's length is missing */
		{"\x1fx\x01\x00\xff", 5, 400}, /* and is cut */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(decompress(bad[i].bytes, bad[i].len, bad[i].size), ERR_CORRUPT);
	assert_int_equal(decompress("\x00", 1, 0), OK);
	assert_int_equal(decompress("\x10x\x01\x00\x00", 5, 5), OK);
	assert_memory_equal(back, "xxxxx", 5);
}

/* Each bit wrong, and each length too short: a status, and no access out of bounds. */
static void damaged_blocks_do_no_harm(void **state)
{
	static uint8_t block[LZ4_BOUND(400)];
	struct lz4_table table;
	size_t n;

	mixed(3);
	n = lz4_compress(data, 400, &table, block);
	for (size_t bit = 0; bit < n * 8; bit++) {
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		(void)!decompress(block, n, 400);
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < n; len++)
		assert_int_equal(decompress(block, len, 400), ERR_CORRUPT);
	assert_int_equal(decompress(block, n, 400), OK);
	assert_memory_equal(back, data, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_of_one_byte_comes_back),
		cmocka_unit_test(random_bytes_come_back_a_little_longer),
		cmocka_unit_test(blocks_are_about_as_short_as_liblz4s),
		cmocka_unit_test(what_liblz4_makes_comes_back),
		cmocka_unit_test(what_is_no_block_is_refused),
		cmocka_unit_test(damaged_blocks_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
