/* SPDX-License-Identifier: BSD-2-Clause */
/* What the compressor makes, liblz4 decompresses; it is not much larger than what liblz4 makes. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_of_one_byte_comes_back),
		cmocka_unit_test(random_bytes_come_back_a_little_longer),
		cmocka_unit_test(blocks_are_about_as_short_as_liblz4s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
