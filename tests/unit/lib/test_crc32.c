/* SPDX-License-Identifier: BSD-2-Clause */
/* The CRC-32 of zip, by its definition: bit by bit. */
#include "hv/lib/crc32.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

static uint32_t bit_by_bit(uint32_t crc, const uint8_t *bytes, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void the_known_value(void **state)
{
	assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_add(0, "", 0), 0);
}

static void all_lengths_and_places(void **state)
{
	uint8_t bytes[64];

	srand(1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand();
	for (size_t start = 0; start < 8; start++)
		for (size_t len = 0; start + len <= sizeof(bytes); len++)
			assert_int_equal(crc32_add(7, bytes + start, len),
					 bit_by_bit(7, bytes + start, len));
}

/* Each value of each byte: all entries of the tables are used. */
static void all_bytes(void **state)
{
	for (unsigned at = 0; at < 4; at++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[4] = {0};

			bytes[at] = (uint8_t)value;
			assert_int_equal(crc32_add(0, bytes, 4), bit_by_bit(0, bytes, 4));
		}
}

static void parts_add_up(void **state)
{
	static const char text[] = "what is added in parts is added as a whole";
	uint32_t whole = crc32_add(0, text, sizeof(text));

	for (size_t n = 0; n <= sizeof(text); n++)
		assert_int_equal(crc32_add(crc32_add(0, text, n), text + n, sizeof(text) - n),
				 whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_value),
		cmocka_unit_test(all_lengths_and_places),
		cmocka_unit_test(all_bytes),
		cmocka_unit_test(parts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
