/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of memory are read as they were written, and refused if anything in them is wrong. */
#include "hv/lib/memory_part.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "hv/lib/crc32.h"
#include "tests/unit/support.h"

#define ID    UINT64_C(0x1122334455667788)
#define LARGE (GIB(4) + MIB(64)) /* a place beyond 32 bits */

static uint8_t part[8 * PART_PUT_SIZE_MAX];
static size_t len, at[5]; /* where each block begins */
static uint8_t pages[BLOCK_MAX], back[BLOCK_MAX];
static struct lz4_table table;
static struct part_reader reader;

static void fill(unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < sizeof(pages); i++)
		pages[i] = (uint8_t)(seed == 0 ? rand() : (int)(i / 100));
}

/* A block that pays, one that does not, zeros, and the end. */
static int setup(void **state)
{
	len = part_put_head(part, ID, 0);
	at[0] = len;
	fill(1);
	len += part_put_block(part + len, MIB(1), pages, BLOCK_MAX, &table);
	at[1] = len;
	fill(0);
	len += part_put_block(part + len, MIB(2), pages, PAGE_SIZE, &table);
	at[2] = len;
	len += part_put_zeros(part + len, LARGE, 2 * PAGE_SIZE);
	at[3] = len;
	len += part_put_end(part + len, true);
	reader = (struct part_reader){0};
	return 0;
}

/* Read a copy of its size, so that ASan finds what is read beyond its end. */
static enum status read_all(size_t size)
{
	uint8_t *copy = malloc(size + !size);
	struct part_block block;
	enum status status;

	memcpy(copy, part, size);
	status = part_open(&reader, copy, size, ID);
	while (status == OK && !reader.is_at_end) {
		status = part_next(&reader, &block);
		if (status == OK && !reader.is_at_end)
			status = part_unpack(&reader, &block, back);
	}
	free(copy);
	return status;
}

static void refused(const char *why)
{
	reader = (struct part_reader){0};
	assert_int_not_equal(read_all(len), OK);
	if (strstr(reader.why, why) == NULL)
		fail_msg("'%s' instead of '%s'", reader.why, why);
	setup(NULL);
}

static void seal(size_t block)
{
	uint32_t data_len, crc;

	memcpy(&data_len, part + block + 12, 4);
	crc = crc32_add(crc32_add(0, part + block, 16), part + block + BLOCK_HEAD_SIZE, data_len);
	memcpy(part + block + 16, &crc, 4);
}

/* Change a field of a block, and make its checksum right. */
static void change(size_t block, size_t offset, uint64_t value, size_t size)
{
	memcpy(part + block + offset, &value, size);
	seal(block);
}

static void what_was_written_is_read(void **state)
{
	struct part_block block;

	assert_int_equal(part_open(&reader, part, len, ID), OK);
	assert_int_equal(part_next(&reader, &block), OK);
	assert_true(block.place == MIB(1) && block.size == BLOCK_MAX && block.len < BLOCK_MAX / 2);
	fill(1);
	assert_int_equal(part_unpack(&reader, &block, back), OK);
	assert_memory_equal(back, pages, BLOCK_MAX);
	/* As any program that knows the format. */
	memset(back, 0, sizeof(back));
	assert_int_equal(LZ4_decompress_safe((const char *)block.data, (char *)back, (int)block.len,
					     BLOCK_MAX),
			 BLOCK_MAX);
	assert_memory_equal(back, pages, BLOCK_MAX);
	assert_int_equal(part_next(&reader, &block), OK);
	assert_true(block.place == MIB(2) && block.size == PAGE_SIZE && block.len == PAGE_SIZE);
	fill(0);
	assert_int_equal(part_unpack(&reader, &block, back), OK);
	assert_memory_equal(back, pages, PAGE_SIZE);
	assert_int_equal(part_next(&reader, &block), OK);
	assert_true(block.place == LARGE && block.size == 2 * PAGE_SIZE && block.len == 0);
	assert_int_equal(part_unpack(&reader, &block, back), OK);
	assert_true(back[0] == 0 && memcmp(back, back + 1, 2 * PAGE_SIZE - 1) == 0);
	assert_int_equal(part_next(&reader, &block), OK);
	assert_true(reader.is_at_end && reader.is_last);
}

static void parts_follow_each_other(void **state)
{
	struct part_block block;

	assert_true(part_seems_last(part, len));
	assert_false(part_seems_last(part, len - 1));
	assert_false(part_seems_last(part, 3));
	part_put_end(part + at[3], false);
	assert_false(part_seems_last(part, len));
	assert_int_equal(read_all(len), OK);
	assert_true(reader.is_at_end && !reader.is_last);
	assert_int_equal(part_open(&reader, part, len, ID), ERR_CORRUPT);
	assert_string_equal(reader.why, "is part 0, and should be part 1");
	len = part_put_head(part, ID, 1);
	len += part_put_zeros(part + len, LARGE, PAGE_SIZE);
	assert_int_equal(part_open(&reader, part, len, ID), OK);
	assert_int_equal(part_next(&reader, &block), ERR_CORRUPT); /* before the last one's end */
	assert_string_equal(reader.why, "is damaged at byte 24: a block is not possible");
}

static void other_files_are_refused(void **state)
{
	part[0] = 's';
	refused("is not a part of a VM's saved memory");
	part[8] = 2;
	refused("has version 2 of the format, only 1 is supported");
	part[16] ^= 1;
	refused("is of another save: its id is 1122334455667789, and that of the state "
		"1122334455667788");
	part[12] = 3;
	refused("is part 3, and should be part 0");
	for (size_t size = 0; size < PART_HEAD_SIZE; size++)
		assert_int_equal(read_all(size), ERR_CORRUPT);
}

static void damage_is_found(void **state)
{
	for (size_t size = PART_HEAD_SIZE; size < len; size++) {
		reader = (struct part_reader){0};
		assert_int_equal(read_all(size), ERR_CORRUPT);
		assert_non_null(strstr(reader.why, "it is cut off"));
	}
	for (size_t i = PART_HEAD_SIZE; i < len; i += 7) {
		reader = (struct part_reader){0};
		part[i] ^= 4;
		assert_int_equal(read_all(len), ERR_CORRUPT);
		part[i] ^= 4;
	}
	len++;
	refused("bytes follow after the end");
}

static void impossible_blocks_are_refused(void **state)
{
	change(at[0], 0, MIB(1) + 1, 8);
	refused("is damaged at byte 24: a block is not possible");
	change(at[0], 8, BLOCK_MAX + PAGE_SIZE, 4);
	refused("a block is not possible");
	change(at[0], 8, PAGE_SIZE + 1, 4);
	refused("a block is not possible");
	change(at[0], 0, UINT64_MAX - PAGE_SIZE + 1, 8);
	refused("a block is not possible");
	change(at[1], 0, MIB(1) + PAGE_SIZE, 8); /* overlaps the one before */
	refused("a block is not possible");
	change(at[1], 8, PAGE_SIZE / 2, 4); /* would become larger */
	refused("a block is not possible");
	change(at[0], 8, 2 * PAGE_SIZE, 4); /* fewer pages than the data have */
	refused("a block cannot be decompressed");
	change(at[3], 0, 2, 8);
	refused("the end of the part is damaged");
	change(at[1], 8, 0, 4);
	refused("the end of the part is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_written_is_read, setup),
		cmocka_unit_test_setup(parts_follow_each_other, setup),
		cmocka_unit_test_setup(other_files_are_refused, setup),
		cmocka_unit_test_setup(damage_is_found, setup),
		cmocka_unit_test_setup(impossible_blocks_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
