/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Find pages that exist twice. A page is compared twice: when it is found,
 * while its VM may be writing to it, and once it is sealed and no processor has
 * a translation that allows a write.
 *
 * Pages of different VMs are found by a hash. The table of hints holds one page
 * per place, and a newer page replaces an older one: a page that is missed is
 * found in a later scan. When a second page has the same hash as a hint, a copy
 * of it becomes a frame of hv/ept/merged.h, and the first is merged with that in
 * the next scan. It is a copy, so that no guest chooses the frame that holds
 * another one's page.
 *
 * A step takes a bounded time, whatever pages guests write: the hash has a
 * secret key, and a page is compared with few frames.
 */
#include "hv/guest/merge.h"

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

/* Entries looked at in one step if there are no own pages. */
#define LOOKS_MAX      64
#define SPLIT_MIN      64 /* pages of a large one that would give their frames back */
#define CANDIDATES_MAX 8  /* frames of one hash that a page is compared with */
#define WORDS	       (PAGE_SIZE / 8)

/*
 * A page that was seen: a part of its hash, changed by the scan's number, so that a scan does not
 * take the hints of the last one for its own; and its identity.
 */
struct hint {
	uint32_t tag;
	uint32_t page;
};

/* Used by one processor at a time. */
static struct {
	struct hint *hint;
	uint64_t n_hints; /* a power of two; 0: no table */
	uint64_t n_scanned;
	uint64_t n_scans;
	struct siphash_key key;
} state;

static uint64_t n_hint_frames(uint64_t n_hints)
{
	return n_hints * sizeof(struct hint) / PAGE_SIZE;
}

enum status merge_setup(uint64_t n_frames, const struct siphash_key *key)
{
	uint64_t n = 512;
	phys_t run;

	assert(state.n_hints == 0);
	while (n < n_frames / 8 && n < BIT(28))
		n *= 2;
	run = frame_alloc_run(n_hint_frames(n), PAGE_SIZE);
	if (run == 0)
		return ERR_NOMEM;
	if (merged_setup((uint32_t)(n / 4)) != OK) {
		frame_free_run(run, n_hint_frames(n));
		return ERR_NOMEM;
	}
	state.hint = phys_to_virt(run);
	state.n_hints = n;
	state.key = *key;
	memset(state.hint, 0, n_hint_frames(n) * PAGE_SIZE);
	return OK;
}

void merge_begin_scan(void)
{
	state.n_scans++;
}

static const uint64_t *words_of(phys_t frame)
{
	return phys_to_virt(frame);
}

static bool is_zero(phys_t frame)
{
	const uint64_t *words = words_of(frame);

	for (unsigned i = 0; i < WORDS; i++)
		if (words[i] != 0)
			return false;
	return true;
}

static bool is_same(phys_t a, phys_t b)
{
	const uint64_t *x = words_of(a), *y = words_of(b);

	for (unsigned i = 0; i < WORDS; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static uint64_t hash_of(phys_t frame)
{
	return siphash(&state.key, words_of(frame), WORDS);
}

bool merge_takes(const struct mem_region *region)
{
	return mem_region_gives_back(region) && region->backend != NULL && region->backend->merge;
}

/*
 * The frame that the page would have if it had never been written; 0: there is
 * none, or it may change.
 */
static phys_t frame_below(const struct ept *ept, const struct mem_region *region, gpa_t gpa)
{
	unsigned level;
	uint64_t entry;

	if (region->image != NULL && region->image->is_written)
		return 0;
	entry = ept_lookup_below(ept, gpa, &level);
	if (entry != 0)
		return ept_frame_at(entry, level, gpa);
	if (ept->base != NULL || region->image == NULL)
		return 0;
	return region->image->base + region->offset + (gpa.raw - region->gpa.raw);
}

/* The place of a hint changes with each scan, so that not always the same pages are missed. */
static struct hint *hint_of(uint64_t hash)
{
	return &state.hint[(hash * (2 * state.n_scans + 1)) >> 32 & (state.n_hints - 1)];
}

/* Whether another page had the hash. Leaves a hint to this one. */
static bool was_seen(const struct merge *merge, gpa_t gpa, uint64_t hash)
{
	struct hint *hint = hint_of(hash);
	uint64_t page = gpa.raw / PAGE_SIZE + merge->id * UINT64_C(0xd6e8feb86659fd93);
	struct hint mine = {.tag = (uint32_t)(hash + state.n_scans * UINT64_C(0x9e3779b97f4a7c15)) |
				   1,
			    .page = (uint32_t)(page * UINT64_C(0x9e3779b97f4a7c15) >> 32)};
	struct hint before = *hint;

	*hint = mine;
	return before.tag == mine.tag && before.page != mine.page;
}

/* Find a merged frame with the same bytes. */
static bool find_merged(struct merge_page *page)
{
	struct merged_cursor cursor = merged_find(page->hash);

	for (unsigned n = 0; n < CANDIDATES_MAX && merged_get(&cursor, &page->target); n++) {
		if (is_same(page->frame, page->target)) {
			page->is_counted = true;
			return true;
		}
		merged_put(page->target);
	}
	page->target = 0;
	return false;
}

static bool find_target(const struct merge *merge, const struct ept *ept,
			const struct mem_region *region, struct merge_page *page)
{
	phys_t below = frame_below(ept, region, page->gpa);

	page->target = ept_zero_frame();
	if (is_zero(page->frame))
		return true;
	page->target = below;
	if (below != 0 && is_same(page->frame, below)) {
		page->is_counted = merged_get_frame(below);
		return true;
	}
	if (state.n_hints == 0)
		return false;
	page->hash = hash_of(page->frame);
	if (find_merged(page))
		return true;
	return was_seen(merge, page->gpa, page->hash) && merged_has_room();
}

static void look_at(struct merge *merge, struct ept *ept, const struct mem_region *region,
		    gpa_t gpa, uint64_t entry)
{
	struct merge_page *page = &merge->page[merge->n];

	state.n_scanned++;
	*page = (struct merge_page){.gpa = gpa, .frame = entry & EPT_ADDR};
	if (!find_target(merge, ept, region, page))
		return;
	ept_seal(ept, gpa);
	merge->n++;
}

/*
 * Look at a page of a large one, which stays as it is. When enough of its pages have equals, it is
 * split, and looked at again.
 */
static void look_into(struct merge *merge, struct ept *ept, const struct mem_region *region,
		      gpa_t gpa, uint64_t entry)
{
	struct merge_page page = {.gpa = gpa, .frame = ept_frame_at(entry & EPT_ADDR, 1, gpa)};

	state.n_scanned++;
	if (is_aligned(gpa.raw, MIB(2)))
		merge->n_equal = 0;
	if (find_target(merge, ept, region, &page))
		merge->n_equal++;
	if (page.is_counted)
		merged_put(page.target);
	if (merge->n_equal < SPLIT_MIN)
		return;
	merge->n_equal = 0;
	if (ept_split(ept, gpa) == OK)
		merge->offset = align_down(gpa.raw, MIB(2)) - region->gpa.raw;
}

/* Look for the next page. False: all of the VM was looked at. */
static bool find_page(struct merge *merge, struct ept *ept, struct mem_map *map)
{
	const struct mem_region *region;
	unsigned budget = LOOKS_MAX;
	uint64_t entry;
	gpa_t gpa;

	while (merge->region < mem_map_all(map) &&
	       (!merge_takes(&map->region[merge->region]) ||
		merge->offset >= map->region[merge->region].len)) {
		merge->region++;
		merge->offset = 0;
	}
	if (merge->region == mem_map_all(map))
		return false;
	region = &map->region[merge->region];
	gpa = gpa_add(region->gpa, merge->offset);
	entry = ept_next_own(ept, &gpa, gpa_add(region->gpa, region->len), &budget);
	merge->offset = gpa.raw - region->gpa.raw;
	if (entry == 0)
		return true;
	merge->offset += PAGE_SIZE;
	if (entry & EPT_LARGE)
		look_into(merge, ept, region, gpa, entry);
	else if (entry & EPT_W) /* otherwise it was sealed before, and not yet unsealed */
		look_at(merge, ept, region, gpa, entry);
	return true;
}

static void enter_stage(struct merge *merge, const struct ept *ept, enum merge_stage stage)
{
	merge->stage = stage;
	merge->next = 0;
	merge->generation = ept->generation;
	if (stage == MERGE_FIND)
		merge->n = 0;
}

/* Give up on a page that has changed. */
static void leave_page(struct merge_page *page, struct ept *ept)
{
	ept_unseal(ept, page->gpa, page->frame);
	if (page->is_counted)
		merged_put(page->target);
	page->frame = 0;
}

/* Replace the page by its target. False: it has changed. */
static bool give_back(const struct merge_page *page, struct ept *ept)
{
	return is_same(page->frame, page->target) &&
	       ept_give_back(ept, page->gpa, page->frame, page->target | region_attr(MEM_COW)) != 0;
}

/*
 * Replace the page by a copy that others can be merged with. False: it has changed, or there is no
 * room.
 */
static bool promote(struct merge_page *page, struct ept *ept)
{
	phys_t copy;

	if (!merged_has_room() || hash_of(page->frame) != page->hash)
		return false;
	copy = frame_alloc();
	if (copy == 0)
		return false;
	memcpy(phys_to_virt(copy), words_of(page->frame), PAGE_SIZE);
	page->target = copy;
	if (!give_back(page, ept)) {
		page->target = 0;
		frame_free(copy);
		return false;
	}
	if (!merged_add(page->hash, copy))
		assert(!"room for a merged frame");
	return true;
}

static void settle_page(struct merge_page *page, struct ept *ept)
{
	/* A page of the same window may have been promoted since. */
	bool has_target = page->target != 0 || find_merged(page);

	if (has_target ? !give_back(page, ept) : !promote(page, ept))
		leave_page(page, ept);
}

static void free_page(struct merge_page *page)
{
	if (page->frame != 0)
		frame_free(page->frame);
	page->frame = 0;
}

static void work_through(struct merge *merge, struct ept *ept)
{
	struct merge_page *page = &merge->page[merge->next++];

	if (merge->stage == MERGE_SETTLE)
		settle_page(page, ept);
	else
		free_page(page);
	if (merge->next == merge->n)
		enter_stage(merge, ept, merge->stage == MERGE_SETTLE ? MERGE_FREE : MERGE_FIND);
}

enum merge_result merge_step(struct merge *merge, struct ept *ept, struct mem_map *map,
			     uint64_t caught_up)
{
	if (merge->stage == MERGE_FIND) {
		merge->has_ended = merge->has_ended || !find_page(merge, ept, map);
		if (merge->n == MERGE_WINDOW || (merge->has_ended && merge->n > 0))
			enter_stage(merge, ept, MERGE_SETTLE);
		else if (merge->has_ended)
			return MERGE_ENDED;
		return MERGE_LOOKED;
	}
	if (caught_up < merge->generation)
		return MERGE_WAITS;
	work_through(merge, ept);
	return MERGE_LOOKED;
}

void merge_forget(struct merge *merge, struct ept *ept)
{
	for (; merge->next < merge->n; merge->next++) {
		struct merge_page *page = &merge->page[merge->next];

		if (merge->stage == MERGE_FREE)
			free_page(page);
		else
			leave_page(page, ept);
	}
	/* Of a window that was being settled: free the pages that were given back. */
	for (unsigned i = 0; i < merge->n; i++)
		free_page(&merge->page[i]);
	enter_stage(merge, ept, MERGE_FIND);
}

uint64_t merge_scanned(void)
{
	return state.n_scanned;
}

void merge_end(void)
{
	merged_end();
	if (state.n_hints > 0)
		frame_free_run(virt_to_phys(state.hint), n_hint_frames(state.n_hints));
	state.n_hints = 0;
}

void merge_reset(void)
{
	memset(&state, 0, sizeof(state));
	merged_reset();
}
