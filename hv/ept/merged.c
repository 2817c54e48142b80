/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of records, each in two lists: that of its hash and that of its
 * frame. Knows nothing of trees, and does not read the frames.
 */
#include "hv/ept/merged.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/lock.h"
#include "hv/lib/string.h"

#define NONE UINT32_MAX

struct record {
	uint64_t hash;
	phys_t frame;
	uint64_t n_refs;
	/* The former also links the list of spare records. */
	uint32_t next_by_hash, next_by_frame;
	bool is_old; /* had no count at the last merged_free() */
};

static struct {
	struct lock lock; /* guards everything here */
	struct record *record;
	uint32_t *by_hash, *by_frame;
	uint32_t n_max; /* a power of two; 0: no table */
	uint32_t n_used;
	uint32_t spare;
	struct merged_counters counters;
} merged = {.spare = NONE};

static uint32_t *hash_list(uint64_t hash)
{
	return &merged.by_hash[hash & (merged.n_max - 1)];
}

static uint32_t *frame_list(phys_t frame)
{
	return &merged.by_frame[frame / PAGE_SIZE & (merged.n_max - 1)];
}

static uint64_t n_table_frames(uint64_t n)
{
	uint64_t size = n * (2 * sizeof(uint32_t) + sizeof(struct record));

	return align_up(size, PAGE_SIZE) / PAGE_SIZE;
}

enum status merged_setup(uint32_t n_frames)
{
	uint32_t n = 1;
	phys_t run;

	assert(merged.n_max == 0 && n_frames > 0 && n_frames <= BIT(30));
	while (n < n_frames)
		n *= 2;
	run = frame_alloc_run(n_table_frames(n), PAGE_SIZE);
	if (run == 0)
		return ERR_NOMEM;
	merged.by_hash = phys_to_virt(run);
	merged.by_frame = merged.by_hash + n;
	merged.record = (struct record *)(merged.by_frame + n);
	memset(merged.by_hash, 0xff, n * 2 * sizeof(uint32_t)); /* NONE */
	merged.n_max = n;
	return OK;
}

static struct record *find_frame(phys_t frame)
{
	uint32_t i;

	if (merged.n_max == 0)
		return NULL;
	for (i = *frame_list(frame); i != NONE; i = merged.record[i].next_by_frame)
		if (merged.record[i].frame == frame)
			return &merged.record[i];
	return NULL;
}

static void take(struct record *record)
{
	merged.counters.shared += record->n_refs == 0;
	record->n_refs++;
	record->is_old = false;
}

static void give(struct record *record)
{
	assert(record->n_refs > 0);
	record->n_refs--;
	merged.counters.shared -= record->n_refs == 0;
}

struct merged_cursor merged_find(uint64_t hash)
{
	struct merged_cursor cursor = {.hash = hash, .next = NONE};

	lock_acquire(&merged.lock);
	if (merged.n_max > 0)
		cursor.next = *hash_list(hash);
	lock_release(&merged.lock);
	return cursor;
}

/* Take a count on the cursor's next record. NULL: there is none. */
static struct record *advance(struct merged_cursor *cursor)
{
	while (cursor->next != NONE) {
		struct record *record = &merged.record[cursor->next];

		cursor->next = record->next_by_hash;
		if (record->hash != cursor->hash)
			continue;
		take(record);
		return record;
	}
	return NULL;
}

bool merged_get(struct merged_cursor *cursor, phys_t *ret)
{
	struct record *record;

	lock_acquire(&merged.lock);
	record = advance(cursor);
	if (record != NULL)
		*ret = record->frame;
	lock_release(&merged.lock);
	return record != NULL;
}

bool merged_get_frame(phys_t frame)
{
	struct record *record;

	lock_acquire(&merged.lock);
	record = find_frame(frame);
	if (record != NULL)
		take(record);
	lock_release(&merged.lock);
	return record != NULL;
}

void merged_put(phys_t frame)
{
	struct record *record;

	lock_acquire(&merged.lock);
	record = find_frame(frame);
	assert(record != NULL);
	give(record);
	lock_release(&merged.lock);
}

/* The index of an unused record, NONE if all are in use. */
static uint32_t new_record(void)
{
	uint32_t i = merged.spare;

	if (i != NONE)
		merged.spare = merged.record[i].next_by_hash;
	else if (merged.n_used < merged.n_max)
		i = merged.n_used++;
	return i;
}

bool merged_has_room(void)
{
	bool has_room;

	lock_acquire(&merged.lock);
	has_room = merged.spare != NONE || merged.n_used < merged.n_max;
	lock_release(&merged.lock);
	return has_room;
}

static bool add(uint64_t hash, phys_t frame)
{
	uint32_t i = new_record(), *by_hash, *by_frame;

	if (i == NONE)
		return false;
	by_hash = hash_list(hash);
	by_frame = frame_list(frame);
	merged.record[i] = (struct record){
		.hash = hash,
		.frame = frame,
		.next_by_hash = *by_hash,
		.next_by_frame = *by_frame,
	};
	*by_hash = *by_frame = i;
	take(&merged.record[i]);
	return true;
}

bool merged_add(uint64_t hash, phys_t frame)
{
	bool added;

	lock_acquire(&merged.lock);
	added = merged.n_max > 0 && add(hash, frame);
	lock_release(&merged.lock);
	return added;
}

void merged_use(void)
{
	lock_acquire(&merged.lock);
	merged.counters.sharing++;
	lock_release(&merged.lock);
}

void merged_drop(phys_t frame)
{
	struct record *record;

	lock_acquire(&merged.lock);
	assert(merged.counters.sharing > 0);
	merged.counters.sharing--;
	record = find_frame(frame);
	if (record != NULL)
		give(record);
	lock_release(&merged.lock);
}

static void unlink_record(uint32_t i)
{
	struct record *record = &merged.record[i];
	uint32_t *link = hash_list(record->hash);

	while (*link != i)
		link = &merged.record[*link].next_by_hash;
	*link = record->next_by_hash;
	link = frame_list(record->frame);
	while (*link != i)
		link = &merged.record[*link].next_by_frame;
	*link = record->next_by_frame;
	record->next_by_hash = merged.spare;
	merged.spare = i;
}

static void free_old(uint32_t i)
{
	struct record *record = &merged.record[i];

	if (record->frame == 0 || record->n_refs > 0)
		return;
	if (!record->is_old) {
		record->is_old = true;
		return;
	}
	frame_free(record->frame);
	unlink_record(i);
	record->frame = 0;
}

/* Hold the lock for one record at a time, so that other processors do not wait long. */
bool merged_free_some(uint32_t *next, uint32_t n)
{
	bool has_more = true;

	for (; n > 0 && has_more; n--) {
		lock_acquire(&merged.lock);
		has_more = *next < merged.n_used;
		if (has_more)
			free_old((*next)++);
		lock_release(&merged.lock);
	}
	if (!has_more)
		*next = 0;
	return has_more;
}

void merged_free(void)
{
	uint32_t next = 0;

	(void)merged_free_some(&next, UINT32_MAX);
}

struct merged_counters merged_count(void)
{
	struct merged_counters counters;

	lock_acquire(&merged.lock);
	counters = merged.counters;
	lock_release(&merged.lock);
	return counters;
}

void merged_each(void (*visit)(void *context, phys_t frame), void *context)
{
	lock_acquire(&merged.lock);
	for (uint32_t i = 0; i < merged.n_used; i++)
		if (merged.record[i].frame != 0)
			visit(context, merged.record[i].frame);
	lock_release(&merged.lock);
}

void merged_end(void)
{
	if (merged.n_max == 0)
		return;
	assert(merged.counters.shared == 0);
	merged_free();
	merged_free();
	frame_free_run(virt_to_phys(merged.by_hash), n_table_frames(merged.n_max));
	merged_reset();
}

void merged_reset(void)
{
	memset(&merged, 0, sizeof(merged));
	merged.spare = NONE;
}
