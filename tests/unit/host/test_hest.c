/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/hest.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

enum { TABLE_MAX = 1024 };

static uint8_t table[TABLE_MAX];
static unsigned table_len;

static void begin_table(void)
{
	memset(table, 0, sizeof(table));
	table_len = 40;
}

static uint8_t *add_source(uint16_t type, unsigned len)
{
	uint8_t *source = table + table_len;

	table_len += len;
	assert_in_range(table_len, 0, TABLE_MAX);
	memcpy(source, &type, 2);
	return source;
}

/* Corrected machine checks of two banks. */
static uint8_t *add_corrected(uint8_t flags, uint8_t bank_a, uint8_t bank_b)
{
	uint8_t *source = add_source(1, 48 + 2 * 28);

	source[6] = flags;
	source[7] = 1;
	source[44] = 2;
	source[48] = bank_a;
	source[48 + 28] = bank_b;
	return source;
}

/* From a copy of exact size, so that the sanitizer sees a read beyond it. */
static uint64_t banks_of(unsigned len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	uint64_t banks;

	memcpy(copy, table, len);
	banks = hest_firmware_banks(copy, len);
	free(copy);
	return banks;
}

static void the_firmwares_banks_are_found_among_all_sources(void **state)
{
	static const struct {
		uint16_t type;
		unsigned len;
	} others[] = {{2, 20}, {6, 48}, {7, 44}, {8, 56}, {9, 64}, {10, 92}};

	begin_table();
	add_source(0, 40 + 28)[32] = 1; /* an uncorrected machine check, one bank */
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		memset(add_source(others[i].type, others[i].len) + 2, 0xff, others[i].len - 2);
	add_source(11, 48 + 28)[44] = 1;
	add_corrected(1, 0, 63);
	add_corrected(1, 7, 64); /* the last one is beyond what processors have */
	assert_int_equal(banks_of(table_len), BIT(0) | BIT(7) | BIT(63));
}

static void banks_of_others_stay_ours(void **state)
{
	begin_table();
	add_corrected(0, 1, 2);
	add_corrected(2, 3, 4);
	add_corrected(1, 5, 6)[7] = 0; /* disabled */
	assert_int_equal(banks_of(table_len), 0);
}

static void a_damaged_table_ends_where_the_damage_is(void **state)
{
	unsigned before;

	begin_table();
	add_corrected(1, 9, 10);
	before = table_len;
	add_corrected(1, 11, 12);
	for (unsigned len = 0; len < table_len; len++)
		assert_int_equal(banks_of(len), len < before ? 0 : BIT(9) | BIT(10));
	table[40 + 44] = 0xff; /* banks */
	assert_int_equal(banks_of(table_len), 0);
	begin_table();
	add_source(3, 20); /* a length that is not known */
	add_corrected(1, 1, 2);
	assert_int_equal(banks_of(table_len), 0);
	begin_table();
	add_source(0xffff, 20);
	assert_int_equal(banks_of(table_len), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmwares_banks_are_found_among_all_sources),
		cmocka_unit_test(banks_of_others_stay_ours),
		cmocka_unit_test(a_damaged_table_ends_where_the_damage_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
