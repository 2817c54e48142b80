/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of free frames, and the lists that make them buddies. Blocks have numbers: their
 * address in units of 2 MiB, plus one, so that 0 is none.
 */
#include "hv/frame/free_map.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define BLOCK_SIZE (FRAME_BLOCK * PAGE_SIZE)
#define WORDS	   (FRAME_BLOCK / 64)
#define WHOLE	   9	/* the order of a block: 2^9 frames; of runs, too, and above */
#define NONE	   0xff /* the order of a block that is in no list and not whole */
#define TOPS	   256	/* times 512 GiB: 47 bits of address */
/* Places that are looked at in a list whose entries need not suffice. */
#define TRIES 16

struct record {
	uint64_t free[WORDS]; /* a bit per frame */
	uint32_t next, prev;  /* in the list: blocks, or 0 */
	uint32_t n_run;	      /* of the first and the last block of a run: blocks */
	uint32_t order;	      /* of the list, or NONE; of later blocks of a run: WHOLE or more */
};
_Static_assert(GIB(1) / BLOCK_SIZE * sizeof(struct record) == FREE_MAP_RECORDS, "no frame unused");

/* By the address in units of 512 GiB, and then of 1 GiB; NULL: no memory there. */
static struct record **tops[TOPS];

static uint32_t block_of(phys_t frame)
{
	return (uint32_t)(frame / BLOCK_SIZE) + 1;
}

static phys_t start_of(uint32_t block)
{
	return (block - 1) * BLOCK_SIZE;
}

static unsigned index_of(phys_t frame)
{
	return frame / PAGE_SIZE % FRAME_BLOCK;
}

/* NULL: the block has no memory. */
static struct record *find_record(uint32_t block)
{
	uint32_t n = block - 1;
	struct record **gibs = n >> 18 < TOPS ? tops[n >> 18] : NULL;
	struct record *records = gibs != NULL ? gibs[n >> 9 & 511] : NULL;

	return records != NULL ? &records[n & 511] : NULL;
}

/* The block has memory. */
static struct record *record_of(uint32_t block)
{
	struct record *record = find_record(block);

	assert(record != NULL);
	return record;
}

static void *make(phys_t *start, phys_t end, uint64_t size)
{
	void *memory = free_map_memory(size);

	if (memory == NULL && end - *start >= size) {
		memory = phys_to_virt(*start);
		*start += size;
	}
	return memory != NULL ? memset(memory, 0, size) : NULL;
}

static struct record *make_records(phys_t *start, phys_t end)
{
	struct record *records = make(start, end, FREE_MAP_RECORDS);

	for (unsigned i = 0; records != NULL && i < GIB(1) / BLOCK_SIZE; i++)
		records[i].order = NONE;
	return records;
}

/* The place of the pointer to the records of a GiB; NULL: it has no room. */
static struct record **make_place(uint64_t gib, phys_t *start, phys_t end)
{
	struct record ***top = &tops[gib / 512 % TOPS];

	if (gib / 512 >= TOPS)
		return NULL;
	if (*top == NULL)
		*top = make(start, end, FREE_MAP_GIBS);
	return *top != NULL ? &(*top)[gib % 512] : NULL;
}

void free_map_cover(phys_t *start, phys_t end)
{
	for (uint64_t gib = *start / GIB(1); gib <= (end - 1) / GIB(1); gib++) {
		struct record **place = make_place(gib, start, end);

		if (place != NULL && *place == NULL)
			*place = make_records(start, end);
	}
}

bool free_map_covers(phys_t frame)
{
	return find_record(block_of(frame)) != NULL;
}

unsigned free_map_node_of(phys_t frame)
{
	return numa_node_of(&numa, align_down(frame, BLOCK_SIZE));
}

phys_t free_map_node_end(phys_t frame)
{
	phys_t end = numa_span_end(&numa, align_down(frame, BLOCK_SIZE));

	return end > UINT64_MAX - BLOCK_SIZE ? UINT64_MAX : align_up(end, BLOCK_SIZE);
}

static bool are_of_one_node(uint32_t a, uint32_t b)
{
	return free_map_node_of(start_of(a)) == free_map_node_of(start_of(b));
}

/* Note that frames became free, or cease to be. */
static void mark(struct record *record, unsigned first, uint64_t n, bool is_free)
{
	while (n > 0) {
		uint64_t in_word = 64 - first % 64, m = n < in_word ? n : in_word;
		uint64_t bits = ~UINT64_C(0) >> (64 - m) << first % 64;
		uint64_t *word = &record->free[first / 64];

		assert((*word & bits) == (is_free ? 0 : bits)); /* fails if freed twice */
		*word ^= bits;
		first += m;
		n -= m;
	}
}

/* The same for all frames of a block. */
static void mark_block(struct record *record, bool is_free)
{
	for (unsigned i = 0; i < WORDS; i++) {
		assert(record->free[i] == (is_free ? 0 : ~UINT64_C(0)));
		record->free[i] = is_free ? ~UINT64_C(0) : 0;
	}
}

/* The largest k such that 2^k bits from a multiple of 2^k on are set; a bit is set. */
static unsigned order_of_word(uint64_t bits)
{
	/* The multiples of 2, 4, 8, 16, 32 and 64. */
	static const uint64_t multiples[] = {
		UINT64_C(0x5555555555555555), UINT64_C(0x1111111111111111),
		UINT64_C(0x0101010101010101), UINT64_C(0x0001000100010001),
		UINT64_C(0x0000000100000001), UINT64_C(0x0000000000000001),
	};
	unsigned k = 0;

	while (k < ARRAY_SIZE(multiples) && (bits &= bits >> (1 << k) & multiples[k]) != 0)
		k++;
	return k;
}

/* The order of a block's largest buddy, or NONE. */
static unsigned order_of(const struct record *record)
{
	uint64_t full = 0;
	unsigned best = 0, n = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		unsigned k = record->free[i] != 0 ? order_of_word(record->free[i]) : 0;

		n += record->free[i] != 0;
		best = k > best ? k : best;
		full |= (uint64_t)(k == 6) << i;
	}
	if (full != 0)
		best = 6 + order_of_word(full);
	return n > 0 ? best : NONE;
}

/* Whether 2^k frames are free, the first of them a multiple of 2^k. */
static bool are_free(const struct record *record, unsigned first, unsigned k)
{
	uint64_t bits = k < 6 ? (BIT(1 << k) - 1) << first % 64 : ~UINT64_C(0);

	for (unsigned i = first / 64; i <= (first + (1U << k) - 1) / 64; i++)
		if ((record->free[i] & bits) != bits)
			return false;
	return true;
}

/* The order of the block after one more frame became free. */
static unsigned order_with(const struct record *record, unsigned i)
{
	unsigned k = 0;

	while (k < WHOLE && are_free(record, (i >> k ^ 1) << k, k))
		k++;
	return record->order == NONE || k > record->order ? k : record->order;
}

static void list(struct free_map *map, uint32_t block, unsigned order)
{
	struct record *record = record_of(block);

	record->order = order;
	record->prev = 0;
	record->next = map->list[order];
	if (record->next != 0)
		record_of(record->next)->prev = block;
	map->list[order] = block;
	map->listed |= (uint32_t)BIT(order);
}

static void unlist(struct free_map *map, uint32_t block)
{
	struct record *record = record_of(block);

	if (record->next != 0)
		record_of(record->next)->prev = record->prev;
	if (record->prev != 0)
		record_of(record->prev)->next = record->next;
	else if ((map->list[record->order] = record->next) == 0)
		map->listed &= ~(uint32_t)BIT(record->order);
	record->order = NONE;
}

/* The greatest k with 2^k <= n. */
static unsigned log2_of(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n);
}

static void list_run(struct free_map *map, uint32_t first, uint32_t n)
{
	unsigned order = WHOLE + log2_of(n);
	struct record *last = record_of(first + n - 1);

	last->order = WHOLE;
	last->n_run = n;
	record_of(first)->n_run = n;
	list(map, first, order < FREE_MAP_LISTS ? order : FREE_MAP_LISTS - 1);
}

static bool is_whole(const struct record *record)
{
	return record->order != NONE && record->order >= WHOLE;
}

/* The neighbor's record, if it has memory of the same node. */
static struct record *neighbor_of(uint32_t block, uint32_t neighbor)
{
	struct record *record = find_record(neighbor);

	return record != NULL && are_of_one_node(block, neighbor) ? record : NULL;
}

/* Join blocks that became whole, which are in no list, with their neighbors. */
static void join(struct free_map *map, uint32_t first, uint32_t n)
{
	const struct record *before = neighbor_of(first, first - 1);
	const struct record *after = neighbor_of(first, first + n);
	uint32_t n_before = before != NULL && is_whole(before) ? before->n_run : 0;
	uint32_t n_after = after != NULL && is_whole(after) ? after->n_run : 0;

	if (n_before > 0)
		unlist(map, first - n_before);
	if (n_after > 0)
		unlist(map, first + n);
	/* Those that do not begin the run. */
	for (uint32_t i = 0; i < n; i++)
		record_of(first + i)->order = WHOLE;
	if (n_after > 0)
		record_of(first + n)->order = WHOLE;
	list_run(map, first - n_before, n_before + n + n_after);
}

/* Take m blocks, from number 'at' on, out of a run. They are whole still, but in no list. */
static void cut_run(struct free_map *map, uint32_t first, uint32_t at, uint32_t m)
{
	uint32_t end = first + record_of(first)->n_run;

	unlist(map, first);
	if (at > first)
		list_run(map, first, at - first);
	if (at + m < end)
		list_run(map, at + m, end - at - m);
	for (uint32_t i = 0; i < m; i++)
		record_of(at + i)->order = NONE;
}

/* Move a block that is not in a run to the list of its order. */
static void relist(struct free_map *map, uint32_t block, unsigned order)
{
	struct record *record = record_of(block);

	if (map->open == block || record->order == order)
		return;
	if (record->order != NONE)
		unlist(map, block);
	if (order == WHOLE)
		join(map, block, 1);
	else if (order != NONE)
		list(map, block, order);
}

static void put_part(struct free_map *map, phys_t start, uint64_t n)
{
	struct record *record = record_of(block_of(start));

	mark(record, index_of(start), n, true);
	relist(map, block_of(start),
	       n == 1 ? order_with(record, index_of(start)) : order_of(record));
}

static void put_blocks(struct free_map *map, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		mark_block(record_of(first + i), true);
	/* The open block had no free frame, if it is one of them. */
	if (map->open - first < n)
		map->open = 0;
	join(map, first, n);
}

void free_map_put(struct free_map *map, phys_t start, uint64_t n)
{
	while (n > 0) {
		uint64_t m = FRAME_BLOCK - index_of(start);

		m = m < n ? m : n;
		if (m == FRAME_BLOCK) {
			m = align_down(n, FRAME_BLOCK);
			put_blocks(map, block_of(start), (uint32_t)(m / FRAME_BLOCK));
		} else {
			put_part(map, start, m);
		}
		start += m * PAGE_SIZE;
		n -= m;
	}
}

/* The first entry of the lists from 'order' on, which have the smallest first; 0: none. */
static uint32_t first_listed(const struct free_map *map, unsigned order)
{
	uint32_t listed = map->listed >> order << order;

	return listed != 0 ? map->list[__builtin_ctz(listed)] : 0;
}

/*
 * Choose the block that has the smallest buddies: large ones stay whole. Single frames come from
 * the end of a run, and blocks from its beginning.
 */
static bool open_block(struct free_map *map)
{
	uint32_t block = first_listed(map, 0);

	if (block == 0)
		return false;
	if (is_whole(record_of(block))) {
		uint32_t last = block + record_of(block)->n_run - 1;

		cut_run(map, block, last, 1);
		block = last;
	} else {
		unlist(map, block);
	}
	map->open = block;
	return true;
}

static void close_block(struct free_map *map)
{
	uint32_t block = map->open;

	map->open = 0;
	if (block != 0)
		relist(map, block, order_of(record_of(block)));
}

/* Take up to n frames at the end of what is free in a word. */
static uint64_t take_bits(uint64_t *word, uint64_t n, unsigned *ret)
{
	unsigned n_used = (unsigned)__builtin_clzll(*word);
	uint64_t used = ~(*word << n_used);
	uint64_t n_free = used != 0 ? (uint64_t)__builtin_clzll(used) : 64;

	n = n < n_free ? n : n_free;
	*ret = 64 - n_used - (unsigned)n;
	*word &= ~(~UINT64_C(0) >> (64 - n) << *ret);
	return n;
}

/* Take up to n frames of a block. Returns how many; 0: none is free. */
static uint64_t take_part(uint32_t block, uint64_t n, phys_t *ret)
{
	struct record *record = record_of(block);
	unsigned bit, i = WORDS;

	while (i > 0 && record->free[i - 1] == 0)
		i--;
	if (i == 0)
		return 0;
	n = take_bits(&record->free[i - 1], n, &bit);
	*ret = start_of(block) + ((i - 1) * 64 + bit) * PAGE_SIZE;
	return n;
}

uint64_t free_map_take(struct free_map *map, uint64_t n, phys_t *ret)
{
	uint64_t n_taken = 0;

	while ((map->open != 0 || open_block(map)) && n_taken == 0) {
		n_taken = take_part(map->open, n, ret);
		if (n_taken == 0)
			map->open = 0;
	}
	return n_taken;
}

phys_t free_map_take_block(struct free_map *map)
{
	uint32_t block = first_listed(map, WHOLE);

	if (block == 0) {
		close_block(map);
		block = first_listed(map, WHOLE);
	}
	if (block == 0)
		return 0;
	cut_run(map, block, block, 1);
	mark_block(record_of(block), false);
	return start_of(block);
}

/* How many frames from 'at' to the end of its word are free, or not free. */
static uint64_t count_alike(phys_t at, bool are_free)
{
	uint64_t bits = record_of(block_of(at))->free[index_of(at) / 64];
	unsigned bit = index_of(at) % 64;
	uint64_t others = (are_free ? ~bits : bits) >> bit;

	return others != 0 ? (uint64_t)__builtin_ctzll(others) : 64 - bit;
}

/* The first frame from 'at' on, or 'end', that is not free, or is. */
static phys_t skip(phys_t at, phys_t end, bool are_free)
{
	uint64_t n = 1;

	while (at < end && n > 0) {
		n = count_alike(at, are_free);
		at += n * PAGE_SIZE;
	}
	return at < end ? at : end;
}

/* The neighbor has free frames and is in no run: those are found by themselves. */
static bool has_part(uint32_t block, uint32_t neighbor)
{
	const struct record *record = neighbor_of(block, neighbor);

	return record != NULL && !is_whole(record);
}

/* The first of the free frames that lie in front of the block. */
static phys_t start_before(uint32_t block)
{
	phys_t start = start_of(block);
	const struct record *record = find_record(block - 1);

	if (!has_part(block, block - 1))
		return start;
	for (unsigned i = WORDS; i > 0; i--) {
		uint64_t used = ~record->free[i - 1];

		if (used != 0)
			return start - (uint64_t)__builtin_clzll(used) * PAGE_SIZE;
		start -= 64 * PAGE_SIZE;
	}
	return start;
}

/* The end of the free frames that follow the block. */
static phys_t end_after(uint32_t block)
{
	phys_t end = start_of(block + 1);

	return has_part(block, block + 1) ? skip(end, end + BLOCK_SIZE, true) : end;
}

/* Where n frames fit at the end of [start, end); 0: nowhere. */
static phys_t place(phys_t start, phys_t end, uint64_t n, uint64_t align)
{
	phys_t at = (end - start) / PAGE_SIZE < n ? 0 : align_down(end - n * PAGE_SIZE, align);

	return at >= start ? at : 0;
}

/* Where n frames fit in the entry of a list and its neighbors; 0: nowhere. */
static phys_t fit(uint32_t block, uint64_t n, uint64_t align)
{
	const struct record *record = record_of(block);
	phys_t at = start_before(block), end, found = 0;

	if (is_whole(record))
		return place(at, end_after(block + record->n_run - 1), n, align);
	end = end_after(block);
	while (found == 0 && (at = skip(at, end, false)) < end) {
		phys_t start = at;

		at = skip(at, end, true);
		found = place(start, at, n, align);
	}
	return found;
}

/* Take n frames that are free in the entry of a list and its neighbors. */
static void take_at(struct free_map *map, uint32_t entry, phys_t at, uint64_t n)
{
	uint32_t first = block_of(at), last = block_of(at + (n - 1) * PAGE_SIZE);
	uint32_t end = entry + record_of(entry)->n_run;

	if (is_whole(record_of(entry)) && first < end && last >= entry) {
		uint32_t from = first > entry ? first : entry, to = last < end ? last + 1 : end;

		cut_run(map, entry, from, to - from);
	}
	while (n > 0) {
		uint64_t m = FRAME_BLOCK - index_of(at);
		struct record *record = record_of(block_of(at));

		m = m < n ? m : n;
		if (m < FRAME_BLOCK) {
			mark(record, index_of(at), m, false);
			relist(map, block_of(at), order_of(record));
		} else {
			mark_block(record, false);
		}
		at += m * PAGE_SIZE;
		n -= m;
	}
}

/* Look through a list. Each entry of the last one is looked at. */
static phys_t take_run_of(struct free_map *map, unsigned order, uint64_t n, uint64_t align)
{
	uint32_t block = map->list[order];

	for (unsigned i = 0; block != 0 && (i < TRIES || order == FREE_MAP_LISTS - 1); i++) {
		phys_t at = fit(block, n, align);

		if (at != 0) {
			take_at(map, block, at, n);
			return at;
		}
		block = record_of(block)->next;
	}
	return 0;
}

/*
 * n frames with 2^(k-1) < n <= 2^k fit into each entry of the lists from k on, the smallest first.
 * Wherever else they are free in a row, there is a buddy of 2^(k-2) frames at least.
 */
phys_t free_map_take_run(struct free_map *map, uint64_t n, uint64_t align)
{
	unsigned k = n > 1 ? log2_of(n - 1) + 1 : 0, top = FREE_MAP_LISTS - 1;
	phys_t at = 0;

	close_block(map);
	k = k < top ? k : top;
	for (unsigned order = k; order <= top && at == 0; order++)
		at = take_run_of(map, order, n, align);
	for (unsigned i = 1; i <= 2 && i <= k && at == 0; i++)
		at = take_run_of(map, k - i, n, align);
	return at;
}

phys_t free_map_take_lowest(struct free_map *map, phys_t limit)
{
	close_block(map);
	for (uint32_t block = 1; start_of(block) < limit; block++) {
		phys_t end = start_of(block + 1);
		phys_t at = find_record(block) != NULL ? skip(start_of(block), end, false) : end;

		if (at == end)
			continue;
		/* If the block is whole, its run begins with it. */
		take_at(map, block, at, 1);
		return at;
	}
	return 0;
}

uint64_t free_map_take_any(struct free_map *map, phys_t *ret)
{
	uint32_t block = first_listed(map, WHOLE);
	uint64_t n;

	if (block == 0)
		return free_map_take(map, FRAME_BLOCK, ret);
	n = (uint64_t)record_of(block)->n_run * FRAME_BLOCK;
	*ret = start_of(block);
	take_at(map, block, *ret, n);
	return n;
}

static void visit_part(uint32_t block, free_map_visit *visit, void *context)
{
	phys_t at = start_of(block), end = at + BLOCK_SIZE;

	while ((at = skip(at, end, false)) < end) {
		phys_t start = at;

		at = skip(at, end, true);
		visit(context, start, (at - start) / PAGE_SIZE);
	}
}

void free_map_each(const struct free_map *map, free_map_visit *visit, void *context)
{
	if (map->open != 0)
		visit_part(map->open, visit, context);
	for (unsigned order = 0; order < FREE_MAP_LISTS; order++)
		for (uint32_t i = map->list[order]; i != 0; i = record_of(i)->next)
			if (order < WHOLE)
				visit_part(i, visit, context);
			else
				visit(context, start_of(i),
				      (uint64_t)record_of(i)->n_run * FRAME_BLOCK);
}

void free_map_reset(void)
{
	memset(tops, 0, sizeof(tops));
}
