/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read comes from anywhere: each length is checked before use. The checksums detect
 * accidents; a forged file with correct ones can do no more than fill the memory of its VM.
 */
#include "hv/lib/memory_part.h"

#include "hv/lib/assert.h"
#include "hv/lib/crc32.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	/* In the head of a part. */
	AT_VERSION = 8,
	AT_NUMBER = 12,
	AT_ID = 16,
	/* In the head of a block. */
	AT_SIZE = 8,
	AT_LEN = 12,
	AT_CRC = 16,
};

#define PLACE_MAX BIT(62) /* no sum of a place and a size wraps */

static uint32_t load32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static uint64_t load64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static void store32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void store64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

size_t part_put_head(uint8_t *out, uint64_t id, uint32_t number)
{
	memcpy(out, PART_MAGIC, AT_VERSION);
	store32(out + AT_VERSION, PART_VERSION);
	store32(out + AT_NUMBER, number);
	store64(out + AT_ID, id);
	return PART_HEAD_SIZE;
}

static uint32_t crc_of(const uint8_t *head, const uint8_t *data, size_t len)
{
	return crc32_add(crc32_add(0, head, AT_CRC), data, len);
}

/* Complete a block whose 'len' bytes are in place. */
static size_t put(uint8_t *out, uint64_t place, uint32_t size, uint32_t len)
{
	store64(out, place);
	store32(out + AT_SIZE, size);
	store32(out + AT_LEN, len);
	store32(out + AT_CRC, crc_of(out, out + BLOCK_HEAD_SIZE, len));
	return BLOCK_HEAD_SIZE + len;
}

size_t part_put_block(uint8_t *out, uint64_t place, const uint8_t *pages, uint32_t size,
		      struct lz4_table *table)
{
	uint8_t *data = out + BLOCK_HEAD_SIZE;
	size_t len;

	assert(size <= BLOCK_MAX);
	len = lz4_compress(pages, size, table, data);
	if (len < size)
		return put(out, place, size, (uint32_t)len);
	memcpy(data, pages, size);
	return put(out, place, size, size);
}

size_t part_put_zeros(uint8_t *out, uint64_t place, uint32_t size)
{
	return put(out, place, size, 0);
}

size_t part_put_end(uint8_t *out, bool is_last)
{
	return put(out, is_last ? 0 : 1, 0, 0);
}

bool part_seems_last(const void *data, size_t len)
{
	uint8_t end[BLOCK_HEAD_SIZE];

	part_put_end(end, true);
	return len >= sizeof(end) &&
	       memcmp((const uint8_t *)data + len - sizeof(end), end, sizeof(end)) == 0;
}

static enum status corrupt(struct part_reader *reader, const char *what)
{
	format(reader->why, sizeof(reader->why), "is damaged at byte %lu: %s", reader->at, what);
	return ERR_CORRUPT;
}

/* The head of a part, which is complete. */
static enum status check_head(struct part_reader *reader, uint64_t id)
{
	uint32_t version = load32(reader->data + AT_VERSION);
	uint64_t other = load64(reader->data + AT_ID);

	if (version != PART_VERSION) {
		format(reader->why, sizeof(reader->why),
		       "has version %u of the format, only %u is supported", version, PART_VERSION);
		return ERR_UNSUPPORTED;
	}
	if (other != id) {
		format(reader->why, sizeof(reader->why),
		       "is of another save: its id is %016lx, and that of the state %016lx", other,
		       id);
		return ERR_CORRUPT;
	}
	if (load32(reader->data + AT_NUMBER) == reader->n_parts)
		return OK;
	format(reader->why, sizeof(reader->why), "is part %u, and should be part %u",
	       load32(reader->data + AT_NUMBER), reader->n_parts);
	return ERR_CORRUPT;
}

enum status part_open(struct part_reader *reader, const void *data, size_t len, uint64_t id)
{
	reader->data = data;
	reader->len = len;
	reader->at = PART_HEAD_SIZE;
	reader->is_at_end = false;
	if (len < PART_HEAD_SIZE || memcmp(data, PART_MAGIC, AT_VERSION) != 0) {
		format(reader->why, sizeof(reader->why), "is not a part of a VM's saved memory");
		return ERR_CORRUPT;
	}
	TRY(check_head(reader, id));
	reader->n_parts++;
	return OK;
}

/* The block that ends the part. */
static enum status take_end(struct part_reader *reader, const struct part_block *end)
{
	if (end->place > 1 || end->len != 0)
		return corrupt(reader, "the end of the part is damaged");
	if (reader->at != reader->len)
		return corrupt(reader, "bytes follow after the end");
	reader->is_at_end = true;
	reader->is_last = end->place == 0;
	return OK;
}

static bool is_sound(const struct part_reader *reader, const struct part_block *block)
{
	return is_aligned(block->place, PAGE_SIZE) && is_aligned(block->size, PAGE_SIZE) &&
	       block->place >= reader->end && block->place < PLACE_MAX &&
	       block->size <= BLOCK_MAX && block->len <= block->size;
}

enum status part_next(struct part_reader *reader, struct part_block *ret)
{
	const uint8_t *head = reader->data + reader->at;

	if (reader->len - reader->at < BLOCK_HEAD_SIZE)
		return corrupt(reader, "it is cut off");
	*ret = (struct part_block){
		.place = load64(head),
		.size = load32(head + AT_SIZE),
		.len = load32(head + AT_LEN),
		.data = head + BLOCK_HEAD_SIZE,
	};
	if (ret->len > reader->len - reader->at - BLOCK_HEAD_SIZE)
		return corrupt(reader, "it is cut off");
	if (crc_of(head, ret->data, ret->len) != load32(head + AT_CRC))
		return corrupt(reader, "a checksum is wrong");
	if (ret->size > 0 && !is_sound(reader, ret))
		return corrupt(reader, "a block is not possible");
	reader->at += BLOCK_HEAD_SIZE + ret->len;
	if (ret->size == 0)
		return take_end(reader, ret);
	reader->end = ret->place + ret->size;
	return OK;
}

enum status part_unpack(struct part_reader *reader, const struct part_block *block, uint8_t *out)
{
	if (block->len == 0)
		memset(out, 0, block->size);
	else if (block->len == block->size)
		memcpy(out, block->data, block->size);
	else if (lz4_decompress(block->data, block->len, out, block->size) != OK)
		return corrupt(reader, "a block cannot be decompressed");
	return OK;
}
