/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that are where they were below, and those of the machine's zeros, are passed over by their
 * tables. All other pages are read.
 */
#include "hv/guest/memory_pack.h"

#include "hv/guest/saved_memory.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define ENTRIES_AT_ONCE 256
#define BLOCKS_AT_ONCE	256

void memory_pack_begin(struct memory_pack *pack, struct guest_memory *memory,
		       struct memory_pack_work *work)
{
	*pack = (struct memory_pack){
		.memory = memory,
		.work = work,
		.part_max = MEMORY_PART_MAX,
	};
}

void memory_pack_next_part(struct memory_pack *pack)
{
	assert(pack->is_at_end && !pack->is_last);
	pack->number++;
	pack->len = 0;
	pack->is_at_end = false;
}

static bool is_zero(const uint8_t *page)
{
	uint64_t word;

	for (size_t i = 0; i < PAGE_SIZE; i += sizeof(word)) {
		memcpy(&word, page + i, sizeof(word));
		if (word != 0)
			return false;
	}
	return true;
}

static bool may_differ(const struct memory_pack *pack, uint64_t place)
{
	unsigned budget = 1;

	return saved_memory_next(pack->memory, pack->below, place, &budget) == place && budget > 0;
}

enum kind { SAME, ZEROS, DATA };

/* What a page is for the parts. By its bytes alone: merging may change how it is mapped. */
static enum kind kind_of(struct memory_pack *pack, uint64_t place, const uint8_t *page)
{
	struct guest_memory below = {.map = pack->memory->map};
	struct ept ept;

	if (pack->below == 0)
		return is_zero(page) ? SAME : DATA;
	ept = ept_view(pack->below);
	below.ept = &ept;
	saved_memory_read(&below, place, pack->work->below);
	if (memcmp(page, pack->work->below, PAGE_SIZE) == 0)
		return SAME;
	return is_zero(page) ? ZEROS : DATA;
}

/* Read pages of one kind. Returns how many bytes. */
static uint32_t gather(struct memory_pack *pack, enum kind *ret)
{
	uint32_t size = 0;

	do {
		uint8_t *page = pack->work->pages + size;
		enum kind kind;

		saved_memory_read(pack->memory, pack->at + size, page);
		kind = kind_of(pack, pack->at + size, page);
		if (size == 0)
			*ret = kind;
		else if (kind != *ret)
			break;
		size += PAGE_SIZE;
	} while (size < BLOCK_MAX && may_differ(pack, pack->at + size));
	return size;
}

static size_t put_pages(struct memory_pack *pack)
{
	uint64_t place = pack->at;
	enum kind kind;
	uint32_t size = gather(pack, &kind);

	pack->at += size;
	if (kind == DATA)
		return part_put_block(pack->work->out, place, pack->work->pages, size,
				      &pack->work->table);
	return kind == ZEROS ? part_put_zeros(pack->work->out, place, size) : 0;
}

static size_t put_end(struct memory_pack *pack, bool is_last)
{
	pack->is_at_end = true;
	pack->is_last = is_last;
	return part_put_end(pack->work->out, is_last);
}

static size_t put_next(struct memory_pack *pack)
{
	unsigned budget = ENTRIES_AT_ONCE;

	pack->at = saved_memory_next(pack->memory, pack->below, pack->at, &budget);
	if (budget == 0)
		return 0;
	if (pack->at >= saved_memory_size(pack->memory->map))
		return put_end(pack, true);
	if (pack->len + PART_PUT_SIZE_MAX + BLOCK_HEAD_SIZE > pack->part_max)
		return put_end(pack, false);
	return put_pages(pack);
}

size_t memory_pack_some(struct memory_pack *pack)
{
	size_t len = pack->len == 0 ? part_put_head(pack->work->out, pack->id, pack->number)
				    : put_next(pack);

	pack->len += len;
	return len;
}

/* The next page that begins as something else than zeros. Loading changes none from 'at' on. */
static uint64_t next_to_clear(struct memory_unpack *unpack)
{
	unsigned budget = UINT32_MAX;

	if (unpack->to_clear <= unpack->at)
		unpack->to_clear = saved_memory_next(unpack->memory, 0, unpack->at, &budget);
	return unpack->to_clear;
}

/* Make zeros of what begins as something else, up to 'end'. */
static enum status clear_up_to(struct memory_unpack *unpack, uint64_t end)
{
	uint64_t size = saved_memory_size(unpack->memory->map);

	end = end < size ? end : size;
	while (!unpack->is_layer && next_to_clear(unpack) < end) {
		memset(unpack->pages, 0, PAGE_SIZE);
		TRY(saved_memory_write(unpack->memory, unpack->to_clear, unpack->pages));
		unpack->at = unpack->to_clear + PAGE_SIZE;
	}
	return OK;
}

static enum status write_block(struct memory_unpack *unpack, const struct part_block *block)
{
	TRY(clear_up_to(unpack, block->place));
	TRY(part_unpack(&unpack->reader, block, unpack->pages));
	for (uint32_t i = 0; i < block->size; i += PAGE_SIZE) {
		enum status status =
			saved_memory_write(unpack->memory, block->place + i, unpack->pages + i);

		if (status == ERR_RANGE)
			format(unpack->reader.why, sizeof(unpack->reader.why),
			       "has pages at %#lx, where this VM has no memory to load",
			       block->place + i);
		if (status != OK)
			return status;
	}
	unpack->at = block->place + block->size;
	return OK;
}

enum status memory_unpack_open(struct memory_unpack *unpack, const void *data, size_t len)
{
	return part_open(&unpack->reader, data, len, unpack->id);
}

enum status memory_unpack_some(struct memory_unpack *unpack)
{
	struct part_block block;

	for (unsigned i = 0; i < BLOCKS_AT_ONCE; i++) {
		TRY(part_next(&unpack->reader, &block));
		if (unpack->reader.is_at_end)
			return OK;
		TRY(write_block(unpack, &block));
	}
	return OK;
}

enum status memory_unpack_end(struct memory_unpack *unpack)
{
	return clear_up_to(unpack, UINT64_MAX);
}
