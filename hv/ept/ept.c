/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The persistent tree. struct ept says what belongs to a tree.
 *
 * Everything rests on one rule: freezing takes EPT_OWN and EPT_W away from the
 * entries that were the tree's own, and leaves all others unchanged. The tables
 * of a frozen tree therefore describe the same pages to trees that do not own
 * them, whether these use a table or copy it, and writes fault in private
 * memory but not in shared memory.
 *
 * Nothing here flushes a TLB, takes a lock or knows what a region is.
 */
#include "hv/ept/ept.h"

#include "hv/ept/fill.h"
#include "hv/ept/merged.h"
#include "hv/ept/store.h"
#include "hv/ept/table.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define OWN_TABLE (EPT_OWN | EPT_R | EPT_W | EPT_X)

/* So many items of the log without a page, and so many frames, are always few: see keep_tables().
 */
#define IDLE_MIN 64
#define KEPT_MIN 16

/*
 * zero_tree[0] is a frame of zeros, zero_tree[1] a table full of it. Without
 * EPT_W, so that writes fault, and not any tree's own. Constant after
 * ept_setup().
 */
static phys_t zero_tree[EPT_ZERO_LEVELS];

static bool code_is_small; /* constant after start; see ept_keep_code_small() */

/* Fresh memory, at any level below the root. */
static uint64_t fresh(void)
{
	return zero_tree[0] | EPT_FRESH | EPT_TYPE(MEMORY_TYPE_WB);
}

static bool is_mappable(gpa_t gpa, uint64_t len)
{
	return gpa.raw <= BIT(EPT_GPA_BITS) && len <= BIT(EPT_GPA_BITS) - gpa.raw;
}

/*
 * Release: the changed entries come before the generation. The other side is
 * the load by a processor before it enters the guest.
 */
static void move_on(struct ept *ept)
{
	__atomic_store_n(&ept->generation, ept->generation + 1, __ATOMIC_RELEASE);
}

/* Free what an own entry leads to: a table, a page, or a block. */
static void free_target(uint64_t entry)
{
	if (entry & EPT_LARGE)
		frame_free_block(entry & EPT_ADDR);
	else
		frame_free(entry & EPT_ADDR);
}

static void free_chain(uint64_t chain)
{
	while (chain != 0) {
		uint64_t link = chain;

		chain = *table_of(link);
		free_target(link);
	}
}

/* Add a frame to the log, allocated by the policy if that has a reserve. */
static __attribute__((noinline)) bool grow_log(struct ept *ept, const struct frame_policy *policy)
{
	bool is_reserved = policy != NULL && policy->reserve != NULL;
	phys_t frame;

	if (ept->n_owned >= ept->max_owned)
		return false;
	frame = is_reserved ? frame_alloc_by(policy, 0) : frame_alloc();
	if (frame == 0)
		return false;
	ept_log_grow(&ept->log, frame);
	ept->n_owned++;
	return true;
}

/* Record the slot in the log before its entry becomes owned. 'leaf': see struct ept_log_item. */
static inline bool log_slot(struct ept *ept, const uint64_t *slot, uint64_t leaf,
			    const struct frame_policy *policy)
{
	if (!ept_log_has_room(&ept->log) && !grow_log(ept, policy))
		return false;
	ept_log_add(&ept->log, (struct ept_log_item){(uintptr_t)slot, leaf});
	return true;
}

/*
 * Allocate a frame for the tree, to be put into 'slot', with undefined
 * contents. 0: no frame is left, or the limit is reached.
 */
static inline __attribute__((always_inline)) phys_t own_frame(struct ept *ept, const uint64_t *slot,
							      uint64_t leaf)
{
	phys_t frame = 0;

	if (!log_slot(ept, slot, leaf, NULL))
		return 0;
	if (ept->n_owned < ept->max_owned)
		frame = frame_alloc();
	if (frame == 0)
		ept_log_take_back(&ept->log);
	else
		ept->n_owned++;
	return frame;
}

/* Fill a table with the pages that make up a large page, or a piece of fresh memory. */
static void split_leaf(uint64_t *to, uint64_t leaf, unsigned level)
{
	uint64_t step = leaf & EPT_FRESH ? 0 : level_size(level - 1);

	if (level == 1)
		leaf &= ~EPT_LARGE;
	if (level == 1 && (leaf & EPT_SMALL_CODE))
		leaf ^= EPT_SMALL_CODE | EPT_X;
	table_fill(to, leaf, step);
}

/* The slots of the root's upper half. */
static bool is_hidden(const uint64_t *slot, unsigned level)
{
	return level == ROOT_LEVEL && virt_to_phys(slot) % PAGE_SIZE >= PAGE_SIZE / 2;
}

/* own_table() for an entry that is not present: a hole, or one that leads to hidden tables. */
static __attribute__((noinline)) void fill_hole(uint64_t *slot, unsigned level, phys_t frame)
{
	uint64_t old = *slot;

	if (old & EPT_HIDDEN)
		copy_words(table_at(frame), table_of(old), ENTRIES);
	else
		zero_words(table_at(frame), ENTRIES);
	ept_store(slot, frame | (is_hidden(slot, level) ? EPT_OWN | EPT_HIDDEN : OWN_TABLE));
}

/* Take n frames, all or none. */
static bool take_frames(const struct ept *ept, phys_t *ret, unsigned n)
{
	unsigned taken = 0;

	if (n > ept->max_owned - ept->n_owned)
		return false;
	while (taken < n && (ret[taken] = frame_alloc()) != 0)
		taken++;
	if (taken == n)
		return true;
	while (taken > 0)
		frame_free(ret[--taken]);
	return false;
}

/*
 * Replace a large page of the tree's own by a table of its pages, each with an item of the log. The
 * frames for all that are taken first, so that nothing has changed without them.
 */
static __attribute__((noinline)) enum status split_own(struct ept *ept, uint64_t *slot)
{
	unsigned n = 1 + ept_log_frames_for(&ept->log, ENTRIES);
	phys_t spare[1 + EPT_LOG_FRAMES_FOR_TABLE] = {0}, table;

	if (!take_frames(ept, spare, n))
		return ERR_NOMEM;
	ept->n_owned += n;
	table = spare[--n];
	split_leaf(table_at(table), *slot, 1);
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (!ept_log_has_room(&ept->log)) {
			assert(n > 0);
			ept_log_grow(&ept->log, spare[--n]);
		}
		ept_log_add(&ept->log,
			    (struct ept_log_item){.slot = (uintptr_t)&table_at(table)[i]});
	}
	ept_store(slot, table | OWN_TABLE);
	return OK;
}

/* Replace an entry by an own table that translates the same. */
static __attribute__((noinline)) enum status own_table(struct ept *ept, uint64_t *slot,
						       unsigned level)
{
	phys_t frame = own_frame(ept, slot, 0);
	uint64_t old = *slot;

	if (frame == 0)
		return ERR_NOMEM;
	if (is_table(old, level)) {
		copy_words(table_at(frame), table_of(old), ENTRIES);
	} else if (old & EPT_MAPPED) {
		split_leaf(table_at(frame), old, level);
	} else {
		fill_hole(slot, level, frame);
		return OK;
	}
	ept_store(slot, frame | OWN_TABLE);
	return OK;
}

/* Put a root of the tree's own, in that frame, in the place of the layer's. */
static void move_to_root(struct ept *ept, phys_t frame)
{
	uint64_t *table = table_at(frame);

	ept->n_owned++;
	copy_words(table, table_at(ept->root), ENTRIES);
	table[0] = ept->top;
	if (ept->top & EPT_OWN) {
		assert(ept->log.first[0].slot == (uintptr_t)&ept->top);
		ept->log.first[0].slot = (uintptr_t)table;
	}
	ept->root = frame;
	/* Release: a processor that finds this finds the root, see vcpu_forget(). */
	__atomic_store_n(&ept->owns_root, true, __ATOMIC_RELEASE);
	move_on(ept);
}

/* A copy of a layer that still freezes would keep entries of the layer's as its own. */
static __attribute__((noinline)) enum status own_root(struct ept *ept)
{
	phys_t frame = ept->n_owned < ept->max_owned ? frame_alloc() : 0;

	if (frame == 0)
		return ERR_NOMEM;
	assert(ept->base == NULL || ept->base->progress == LAYER_WHOLE);
	move_to_root(ept, frame);
	return OK;
}

/* An entry of the tree's own root was stored: it may be the first one. */
static void note_top(struct ept *ept)
{
	ept->top = *table_at(ept->root);
}

/*
 * Let an entry of the root lead to a table of the tree's own. If that is 'top', processors no
 * longer use the layer's root.
 */
static __attribute__((noinline)) enum status own_root_table(struct ept *ept, uint64_t *slot)
{
	assert(ept->base == NULL || ept->base->progress == LAYER_WHOLE);
	TRY(own_table(ept, slot, ROOT_LEVEL));
	if (ept->owns_root)
		note_top(ept);
	else
		move_on(ept);
	return OK;
}

/* The slot for gpa in a root of the tree's own. NULL: no frame is left for that. */
static inline uint64_t *own_root_slot(struct ept *ept, gpa_t gpa)
{
	if (!ept->owns_root && own_root(ept) != OK)
		return NULL;
	return &table_at(ept->root)[index_at(gpa, ROOT_LEVEL)];
}

/*
 * The same, or 'top'. Nothing but tables may be put into that, because processors may use the
 * layer's root.
 */
static inline uint64_t *root_slot(struct ept *ept, gpa_t gpa)
{
	if (!ept->owns_root && ept->base->is_narrow && index_at(gpa, ROOT_LEVEL) == 0)
		return &ept->top;
	return own_root_slot(ept, gpa);
}

/* Find the slot for gpa at level 'to', below the root. All tables above become the tree's own. */
static enum status walk(struct ept *ept, gpa_t gpa, unsigned to, uint64_t **ret)
{
	uint64_t *slot = root_slot(ept, gpa);

	if (slot == NULL)
		return ERR_NOMEM;
	if (!(*slot & EPT_OWN))
		TRY(own_root_table(ept, slot));
	for (unsigned level = ROOT_LEVEL - 1;; level--) {
		slot = &table_of(*slot)[index_at(gpa, level)];
		if (level == to)
			break;
		if (!(*slot & EPT_OWN))
			TRY(own_table(ept, slot, level));
		else if (*slot & EPT_LARGE)
			TRY(split_own(ept, slot));
	}
	*ret = slot;
	return OK;
}

/* Drop the count of an own table's entry. Processors may still cache the entry. */
static void drop_merged(uint64_t entry)
{
	if (entry & EPT_MERGED)
		merged_drop(entry & EPT_ADDR);
}

/*
 * Chain the frames that an own entry leads to, and all own ones below. Returns
 * how many. The depth of recursion is that of the tree. In a table that a processor
 * may still be walking, the link reads as not present: its low bits are clear.
 */
static uint64_t chain_frames(uint64_t own, unsigned level, uint64_t *chain)
{
	uint64_t *table = table_of(own), n = n_frames_of(own);

	for (unsigned i = 0; level > 0 && is_own_frame(own) && i < ENTRIES; i++) {
		uint64_t entry = table[i];

		if (!(entry & EPT_LOGGED))
			continue;
		/* The log may contain this slot. */
		__atomic_store_n(&table[i], 0, __ATOMIC_RELAXED);
		if (entry & EPT_OWN)
			n += chain_frames(entry, level - 1, chain);
		else
			drop_merged(entry);
	}
	__atomic_store_n(&table[0], *chain, __ATOMIC_RELAXED);
	*chain = own & (EPT_ADDR | EPT_LARGE);
	return n;
}

/* Retire what an entry of a table at 'level' owns. */
static void retire(struct ept *ept, uint64_t entry, unsigned level)
{
	if (!(entry & EPT_OWN)) {
		drop_merged(entry);
		return;
	}
	ept->n_retired += chain_frames(entry, level, &ept->retired);
	ept->log_dangles |= level > 0 && is_own_frame(entry);
}

/* Replace what is mapped at a level by one entry. */
static enum status place(struct ept *ept, gpa_t gpa, unsigned level, uint64_t entry)
{
	uint64_t *slot, old;

	if (level < ROOT_LEVEL)
		TRY(walk(ept, gpa, level, &slot));
	else
		slot = own_root_slot(ept, gpa);
	if (slot == NULL)
		return ERR_NOMEM;
	old = *slot;
	if (old == entry)
		return OK;
	ept->is_remapped = true;
	ept_store(slot, entry);
	if (level == ROOT_LEVEL)
		note_top(ept);
	if (old & EPT_PRESENT)
		move_on(ept);
	retire(ept, old, level);
	return OK;
}

/* The level of the largest page that fits 'address' (gpa and hpa ORed) and 'len'. */
static unsigned largest_level(uint64_t address, uint64_t len, unsigned max)
{
	unsigned level = max;

	while (level > 0 && (len < level_size(level) || !is_aligned(address, level_size(level))))
		level--;
	return level;
}

/*
 * The size of the hole from gpa to its end; 0: gpa is mapped. unmap() skips
 * holes, so that they get no tables.
 */
static uint64_t hole_at(const struct ept *ept, gpa_t gpa)
{
	unsigned level;

	if (ept_lookup(ept, gpa, &level) != 0)
		return 0;
	return level_size(level) - (gpa.raw & (level_size(level) - 1));
}

static enum status unmap(struct ept *ept, gpa_t gpa, uint64_t len)
{
	while (len > 0) {
		uint64_t done = hole_at(ept, gpa);

		if (done == 0) {
			unsigned level = largest_level(gpa.raw, len, ROOT_LEVEL);

			TRY(place(ept, gpa, level, 0));
			done = level_size(level);
		}
		done = done < len ? done : len;
		gpa = gpa_add(gpa, done);
		len -= done;
	}
	return OK;
}

/* The bits of a leaf at that level. */
static uint64_t leaf_bits(uint64_t attr, unsigned level)
{
	if (level == 0)
		return attr;
	if (code_is_small && (attr & EPT_X))
		attr ^= EPT_X | EPT_SMALL_CODE;
	return attr | EPT_LARGE;
}

enum status ept_map(struct ept *ept, gpa_t gpa, phys_t hpa, uint64_t len, uint64_t attr)
{
	assert(is_aligned(gpa.raw | len, PAGE_SIZE));
	assert(!(attr & ~(EPT_PRESENT | EPT_TYPE_MASK)));
	if (!is_mappable(gpa, len))
		return ERR_RANGE;
	if (attr == 0)
		return unmap(ept, gpa, len);

	assert(is_aligned(hpa, PAGE_SIZE) && (attr & EPT_R));
	if (hpa > EPT_ADDR || len > EPT_ADDR + PAGE_SIZE - hpa)
		return ERR_RANGE;
	while (len > 0) {
		unsigned level = largest_level(gpa.raw | hpa, len, ept->leaf_levels - 1);

		TRY(place(ept, gpa, level, hpa | leaf_bits(attr, level)));
		gpa = gpa_add(gpa, level_size(level));
		hpa += level_size(level);
		len -= level_size(level);
	}
	return OK;
}

enum status ept_map_zero(struct ept *ept, gpa_t gpa, uint64_t len)
{
	assert(is_aligned(gpa.raw | len, PAGE_SIZE));
	if (!is_mappable(gpa, len))
		return ERR_RANGE;
	while (len > 0) {
		unsigned level = largest_level(gpa.raw, len, ROOT_LEVEL - 1);

		TRY(place(ept, gpa, level, fresh()));
		gpa = gpa_add(gpa, level_size(level));
		len -= level_size(level);
	}
	return OK;
}

/* Where the way from the root's entry 'entry' to gpa ends, with the rights of all that is on it. */
static inline __attribute__((always_inline)) uint64_t follow(uint64_t entry, gpa_t gpa,
							     unsigned *ret_level)
{
	uint64_t inherited = OWN_TABLE;
	unsigned level = ROOT_LEVEL;

	while (is_table(entry, level)) {
		inherited &= entry;
		entry = table_of(entry)[index_at(gpa, --level)];
	}
	*ret_level = level;
	return entry & (inherited | ~(OWN_TABLE | EPT_RETURNED));
}

/* The same where the root's entry is not present. */
static __attribute__((noinline)) uint64_t follow_hidden(uint64_t entry, gpa_t gpa,
							unsigned *ret_level)
{
	entry = follow(entry | EPT_PRESENT, gpa, ret_level);
	return entry & EPT_MAPPED ? entry : 0;
}

/* Where the way from the root to gpa ends. */
static inline __attribute__((always_inline)) uint64_t follow_any(uint64_t root, gpa_t gpa,
								 unsigned *ret_level)
{
	uint64_t entry = follow(root, gpa, ret_level);

	if (entry & EPT_MAPPED)
		return entry;
	return root & EPT_HIDDEN ? follow_hidden(root, gpa, ret_level) : 0;
}

uint64_t ept_lookup(const struct ept *ept, gpa_t gpa, unsigned *ret_level)
{
	uint64_t entry = follow_any(root_entry(ept->root, ept->top, gpa), gpa, ret_level);

	if (entry & EPT_FRESH)
		*ret_level = 0;
	return entry;
}

static void copy_page(phys_t to, phys_t from)
{
	if (from == zero_tree[0])
		zero_words(phys_to_virt(to), PAGE_SIZE / 8);
	else
		copy_words(phys_to_virt(to), phys_to_virt(from), PAGE_SIZE / 8);
}

/* Allocate a frame for a slot that the log has. */
static phys_t frame_by(struct ept *ept, const struct frame_policy *policy, uint64_t index)
{
	phys_t frame;

	if (ept->n_owned >= ept->max_owned)
		return 0;
	frame = policy != NULL ? frame_alloc_by(policy, index) : frame_alloc();
	ept->n_owned += frame != 0;
	return frame;
}

/* own_frame() by a policy. */
static phys_t own_frame_by(struct ept *ept, const uint64_t *slot, const struct frame_policy *policy,
			   uint64_t index)
{
	phys_t frame;

	if (!log_slot(ept, slot, *slot, policy))
		return 0;
	frame = frame_by(ept, policy, index);
	if (frame == 0)
		ept_log_take_back(&ept->log);
	return frame;
}

/* Give the page of leaf 'old', which is not shared memory, a frame of the tree's own. */
static inline __attribute__((always_inline)) void put_copy(uint64_t *slot, uint64_t old,
							   phys_t frame)
{
	copy_page(frame, old & EPT_ADDR);
	ept_store(slot, frame | (old & EPT_TYPE_MASK) | OWN_TABLE);
}

static void fill_slot(uint64_t *slot, uint64_t old, phys_t frame)
{
	assert(!(old & EPT_W)); /* shared memory is never copied */
	put_copy(slot, old, frame);
}

/* The same while vCPUs may be in the guest. */
static inline __attribute__((always_inline)) void store_copy(struct ept *ept, uint64_t *slot,
							     uint64_t old, phys_t frame)
{
	assert(!(old & EPT_W));
	put_copy(slot, old, frame);
	if (old & EPT_PRESENT)
		move_on(ept);
}

/* Copy a page whose slot the log has. */
static __attribute__((noinline)) enum status copy_again(struct ept *ept, uint64_t *slot,
							const struct frame_policy *policy,
							uint64_t index, phys_t *ret_frame)
{
	uint64_t old = *slot;
	phys_t frame = old & EPT_ADDR;

	if (old & EPT_OWN) {
		if (!(old & EPT_W)) {
			ept_store(slot, old | EPT_W);
			move_on(ept);
		}
		*ret_frame = frame;
		return OK;
	}
	frame = frame_by(ept, policy, index);
	if (frame == 0)
		return ERR_NOMEM;
	store_copy(ept, slot, old, frame);
	drop_merged(old);
	*ret_frame = frame;
	return OK;
}

/* The entry of gpa's 2 MiB if all tables above are own, or NULL. */
static inline __attribute__((always_inline)) uint64_t *own_large_slot(const struct ept *ept,
								      gpa_t gpa)
{
	uint64_t entry = root_entry(ept->root, ept->top, gpa);

	if (!(entry & EPT_OWN))
		return NULL;
	entry = table_of(entry)[index_at(gpa, 2)];
	return entry & EPT_OWN ? &table_of(entry)[index_at(gpa, 1)] : NULL;
}

/* Find the table of gpa's page. False: it is not own, nor is a table above. */
static inline __attribute__((always_inline)) bool find_own_table(const struct ept *ept, gpa_t gpa,
								 uint64_t **ret)
{
	uint64_t entry = root_entry(ept->root, ept->top, gpa);

	if (!(entry & EPT_OWN))
		return false;
	entry = table_of(entry)[index_at(gpa, 2)];
	if (!(entry & EPT_OWN))
		return false;
	entry = table_of(entry)[index_at(gpa, 1)];
	*ret = table_of(entry);
	return is_own_frame(entry);
}

/*
 * The table of gpa's page if it and all tables above are own. NULL: walk() must make some, unless
 * '*ret_large' is a large page of the tree's own, which gpa lies in.
 */
static inline uint64_t *own_leaves(const struct ept *ept, gpa_t gpa, uint64_t *ret_large)
{
	const uint64_t *slot = own_large_slot(ept, gpa);
	uint64_t entry = slot != NULL ? *slot : 0;

	*ret_large = 0;
	if (is_own_frame(entry))
		return table_of(entry);
	*ret_large = entry & EPT_OWN ? entry : 0;
	return NULL;
}

/* The entry of gpa's page in that table, or NULL. */
static inline uint64_t *own_slot(const struct ept *ept, gpa_t gpa, uint64_t *ret_large)
{
	uint64_t *table = own_leaves(ept, gpa, ret_large);

	return table != NULL ? &table[index_at(gpa, 0)] : NULL;
}

/* 'policy' may be NULL. Inlined into both callers, so that each has code of its own. */
static inline __attribute__((always_inline)) enum status copy(struct ept *ept, gpa_t gpa,
							      const struct frame_policy *policy,
							      uint64_t index, phys_t *ret_frame)
{
	uint64_t *slot, old;
	phys_t frame;

	slot = own_large_slot(ept, gpa);
	if (slot == NULL) {
		if (!is_mappable(gpa, 1))
			return ERR_RANGE;
		TRY(walk(ept, gpa, 1, &slot));
	}
	if (!is_own_frame(*slot)) {
		if (*slot & EPT_OWN) {
			*ret_frame = ept_frame_at(*slot, 1, gpa);
			return OK;
		}
		TRY(own_table(ept, slot, 1));
	}
	slot = &table_of(*slot)[index_at(gpa, 0)];
	old = *slot;
	if (!(old & EPT_MAPPED))
		return ERR_NOTFOUND;
	if (old & EPT_LOGGED)
		return copy_again(ept, slot, policy, index, ret_frame);
	frame = policy != NULL ? own_frame_by(ept, slot, policy, index) : own_frame(ept, slot, old);
	if (frame == 0)
		return ERR_NOMEM;
	store_copy(ept, slot, old, frame);
	*ret_frame = frame;
	return OK;
}

enum status ept_copy(struct ept *ept, gpa_t gpa, phys_t *ret_frame)
{
	return copy(ept, gpa, NULL, 0, ret_frame);
}

enum status ept_copy_by(struct ept *ept, gpa_t gpa, const struct frame_policy *policy,
			uint64_t index, phys_t *ret_frame)
{
	return copy(ept, gpa, policy, index, ret_frame);
}

bool ept_copy_beside(struct ept *ept, gpa_t gpa)
{
	uint64_t *slot, old;
	phys_t frame;

	if (!find_own_table(ept, gpa, &slot))
		return false;
	slot += index_at(gpa, 0);
	old = *slot;
	if (!(old & EPT_MAPPED) || (old & (EPT_LOGGED | EPT_W)))
		return false;
	frame = own_frame(ept, slot, old);
	if (frame == 0)
		return false;
	put_copy(slot, old, frame);
	if (old & EPT_PRESENT)
		move_on(ept);
	return true;
}

/* The slot of gpa's page if it is own, else NULL. */
static uint64_t *find_own(const struct ept *ept, gpa_t gpa)
{
	uint64_t large, *slot = own_slot(ept, gpa, &large);

	return slot != NULL && (*slot & EPT_OWN) ? slot : NULL;
}

/* Entries of a table, from 'first' to below 'end'. */
struct stretch {
	uint64_t *table;
	unsigned first, end;
};

/* Those of [start, end) in gpa's table. */
static struct stretch stretch_of(uint64_t *table, gpa_t gpa, gpa_t start, gpa_t end)
{
	uint64_t base = align_down(gpa.raw, level_size(1)), n = (end.raw - base) / PAGE_SIZE;

	return (struct stretch){
		.table = table,
		.first = start.raw > base ? index_at(start, 0) : 0,
		.end = n < ENTRIES ? (unsigned)n : ENTRIES,
	};
}

/* NULL: entry i is none of them. */
static uint64_t *entry_in(const struct stretch *stretch, unsigned i)
{
	return i >= stretch->first && i < stretch->end ? &stretch->table[i] : NULL;
}

/* How many entries beside entry i are own, up to the first that is not. */
static unsigned count_own(const struct stretch *stretch, unsigned i, int step)
{
	unsigned n;

	for (n = 0; n < EPT_AROUND_MAX; n++) {
		const uint64_t *slot = entry_in(stretch, i += (unsigned)step);

		if (slot == NULL || !(*slot & EPT_OWN))
			break;
	}
	return n;
}

/* Allocate a frame for an entry, if it is fresh. 0: it is not, or as own_frame(). */
static phys_t fresh_frame(struct ept *ept, const uint64_t *slot)
{
	if (slot == NULL || (*slot & ~EPT_RETURNED) != fresh())
		return 0;
	return *slot & EPT_RETURNED ? frame_by(ept, NULL, 0) : own_frame(ept, slot, fresh());
}

/* Give n entries beside entry i frames, up to the first that is not fresh. */
static void fill_fresh(struct ept *ept, const struct stretch *stretch, unsigned i, unsigned n,
		       int step)
{
	for (; n > 0; n--) {
		uint64_t *slot = entry_in(stretch, i += (unsigned)step);
		phys_t frame = fresh_frame(ept, slot);

		if (frame == 0)
			return;
		fill_slot(slot, fresh(), frame);
	}
}

/* Continue on one side what is own on the other. False: nothing is. */
static bool fill_side(struct ept *ept, const struct stretch *stretch, unsigned i, int step)
{
	unsigned n = count_own(stretch, i, -step);

	if (n > 0 && ept->n_owned + n <= ept->max_owned / 2 && !frame_is_scarce())
		fill_fresh(ept, stretch, i, n, step);
	return n > 0;
}

void ept_fill_around(struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end)
{
	uint64_t large, *table = own_leaves(ept, gpa, &large);
	unsigned i = index_at(gpa, 0);
	struct stretch stretch;

	assert(gpa.raw >= start.raw && gpa.raw < end.raw);
	if (table == NULL || !(table[i] & EPT_OWN))
		return;
	stretch = stretch_of(table, gpa, start, end);
	if (!fill_side(ept, &stretch, i, 1))
		(void)fill_side(ept, &stretch, i, -1);
}

/* Whether the tree owns all of gpa's 2 MiB, which lie in the region. */
static bool owns_stretch(const struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end)
{
	uint64_t large, *table;

	if (gpa.raw < start.raw || gpa.raw + level_size(1) > end.raw)
		return false;
	table = own_leaves(ept, gpa, &large);
	for (unsigned i = 0; table != NULL && i < ENTRIES; i++)
		if (!(table[i] & EPT_OWN))
			return false;
	return table != NULL || large != 0;
}

/* Whether a large page may be made for gpa's 2 MiB, as far as others matter. */
static bool may_be_large(const struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end)
{
	gpa_t below = {gpa.raw - level_size(1)}, above = gpa_add(gpa, level_size(1));

	if (ept->leaf_levels == 1 || ept->base != NULL || gpa.raw < start.raw ||
	    above.raw > end.raw || ept->n_owned + ENTRIES > ept->max_owned / 2 || frame_is_scarce())
		return false;
	return (gpa.raw > start.raw && owns_stretch(ept, below, start, end)) ||
	       owns_stretch(ept, above, start, end);
}

bool ept_fill_large(struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end)
{
	static const struct frame_policy near = {.mode = FRAME_LOCAL};
	gpa_t from = {align_down(gpa.raw, level_size(1))};
	uint64_t *slot;
	phys_t block;

	if (!may_be_large(ept, from, start, end) || walk(ept, from, 1, &slot) != OK ||
	    *slot != fresh() || !log_slot(ept, slot, 0, NULL))
		return false;
	block = frame_alloc_block_by(&near, 0);
	if (block == 0) {
		ept_log_take_back(&ept->log);
		return false;
	}
	ept->n_owned += ENTRIES;
	ept->is_remapped = true;
	zero_words(phys_to_virt(block), ENTRIES * PAGE_SIZE / 8);
	ept_store(slot, block | EPT_OWN | leaf_bits(EPT_TYPE(MEMORY_TYPE_WB) | EPT_PRESENT, 1));
	return true;
}

/* The leaf by which processors find the zeros of fresh memory. */
static uint64_t shown(uint64_t entry)
{
	return (entry & ~EPT_FRESH) | EPT_R | EPT_X;
}

static void show_around(uint64_t *table, unsigned i)
{
	uint64_t *slot = &table[i / EPT_SHOWN * EPT_SHOWN];

	for (unsigned n = 0; n < EPT_SHOWN; n++)
		if (slot[n] & EPT_FRESH)
			ept_store(&slot[n], shown(slot[n]));
}

enum status ept_show_zeros(struct ept *ept, gpa_t gpa)
{
	uint64_t *slot, *table, large;

	if (!is_mappable(gpa, 1))
		return ERR_RANGE;
	TRY(walk(ept, gpa, 1, &slot));
	if (*slot & EPT_FRESH) {
		ept_store(slot, zero_tree[1] | EPT_R | EPT_X);
		return OK;
	}
	TRY(walk(ept, gpa, 0, &slot));
	table = own_leaves(ept, gpa, &large);
	assert(table != NULL);
	show_around(table, index_at(gpa, 0));
	return OK;
}

enum status ept_split(struct ept *ept, gpa_t gpa)
{
	uint64_t *slot;

	return is_mappable(gpa, 1) ? walk(ept, gpa, 0, &slot) : ERR_RANGE;
}

enum status ept_make_tables(struct ept *ept, gpa_t gpa, uint64_t len)
{
	uint64_t *slot;

	if (!is_mappable(gpa, len))
		return ERR_RANGE;
	for (uint64_t at = gpa.raw; at < gpa.raw + len;
	     at = align_down(at, level_size(1)) + level_size(1))
		TRY(walk(ept, (gpa_t){at}, 0, &slot));
	return OK;
}

enum status ept_charge(struct ept *ept)
{
	if (ept->n_owned >= ept->max_owned)
		return ERR_NOMEM;
	if (ept->max_owned != EPT_UNLIMITED)
		ept->max_owned--;
	return OK;
}

void ept_discharge(struct ept *ept)
{
	if (ept->max_owned != EPT_UNLIMITED)
		ept->max_owned++;
}

static unsigned count_borrowed(const uint64_t *entries, unsigned n_pages)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_pages; i++)
		n += !(entries[i] & EPT_OWN);
	return n;
}

enum status ept_populate_begin(struct ept *ept, gpa_t gpa, unsigned n_pages, uint64_t **ret)
{
	uint64_t *entries, n;

	assert(n_pages > 0 && n_pages <= ENTRIES - index_at(gpa, 0));
	if (!is_mappable(gpa, n_pages * PAGE_SIZE))
		return ERR_RANGE;
	TRY(walk(ept, gpa, 0, &entries));
	n = count_borrowed(entries, n_pages);
	/* Count all pages now; ept_populate_end() subtracts those that were not filled. */
	for (unsigned i = 0; i < n_pages; i++)
		if (!(entries[i] & EPT_LOGGED) && !log_slot(ept, &entries[i], entries[i], NULL))
			return ERR_NOMEM;
	if (n > ept->max_owned - ept->n_owned)
		return ERR_NOMEM;
	ept->n_owned += n;
	*ret = entries;
	return OK;
}

enum status ept_populate_page(uint64_t *entry, const struct frame_policy *policy, uint64_t index)
{
	uint64_t old = *entry;
	phys_t frame;

	if (old & EPT_OWN)
		return OK;
	if (!(old & EPT_MAPPED))
		return ERR_NOTFOUND;
	frame = frame_alloc_by(policy, index);
	if (frame == 0)
		return ERR_NOMEM;
	fill_slot(entry, old, frame);
	drop_merged(old);
	return OK;
}

void ept_populate_end(struct ept *ept, const uint64_t *entries, unsigned n_pages)
{
	ept->n_owned -= count_borrowed(entries, n_pages);
	move_on(ept);
}

/* The entry of page i of the 2 MiB that an entry of level 1 is for. */
static uint64_t page_entry(uint64_t entry, unsigned i)
{
	if (is_table(entry, 1))
		return table_of(entry)[i];
	return entry & EPT_FRESH ? entry : entry + i * PAGE_SIZE;
}

enum status ept_populate_large_begin(struct ept *ept, gpa_t gpa, uint64_t **ret)
{
	uint64_t *slot;

	assert(is_aligned(gpa.raw, level_size(1)) && ept->leaf_levels > 1);
	if (!is_mappable(gpa, level_size(1)))
		return ERR_RANGE;
	TRY(walk(ept, gpa, 1, &slot));
	*ret = NULL;
	if (is_own_large(*slot))
		return OK;
	for (unsigned i = 0; i < ENTRIES; i++)
		if (!(page_entry(*slot, i) & EPT_MAPPED))
			return ERR_NOTFOUND;
	if (!log_slot(ept, slot, 0, NULL))
		return ERR_NOMEM;
	if (ENTRIES > ept->max_owned - ept->n_owned) {
		ept_log_take_back(&ept->log);
		return ERR_NOMEM;
	}
	ept->n_owned += ENTRIES;
	*ret = slot;
	return OK;
}

void ept_populate_large(const uint64_t *entry, phys_t block)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t page = page_entry(*entry, i);

		assert((page & EPT_OWN) || !(page & EPT_W)); /* shared memory is never copied */
		copy_page(block + i * PAGE_SIZE, page & EPT_ADDR);
	}
}

void ept_populate_large_end(struct ept *ept, uint64_t *entry, phys_t block)
{
	uint64_t old = *entry, type = page_entry(old, 0) & EPT_TYPE_MASK;

	ept->is_remapped = true;
	ept_store(entry, block | leaf_bits(type | EPT_PRESENT, 1) | EPT_OWN);
	move_on(ept);
	retire(ept, old, 1);
}

/* Find the first entry on the way to gpa that is not own, or the leaf. Returns its level. */
static unsigned descend_own(const struct ept *ept, gpa_t gpa, uint64_t *ret_entry)
{
	unsigned level = ROOT_LEVEL;
	uint64_t entry = root_entry(ept->root, ept->top, gpa);

	while (level > 0 && is_own_frame(entry))
		entry = table_of(entry)[index_at(gpa, --level)];
	*ret_entry = entry;
	return level;
}

/* Put zeros in the place of a page. Returns the frame that the tree owned, or 0. */
static phys_t put_zeros(struct ept *ept, uint64_t *slot)
{
	uint64_t old = *slot, leaf = fresh() | (old & EPT_RETURNED);

	/* The log has the slot: it must stay recognizable, see copy_again(). */
	if (old & (EPT_OWN | EPT_MERGED)) {
		merged_use();
		leaf |= EPT_MERGED;
	}
	ept_store(slot, leaf);
	drop_merged(old);
	if (!(old & EPT_OWN))
		return 0;
	ept->n_owned--;
	return old & EPT_ADDR;
}

/* The frame of a hidden page is free at once. */
static void drop_page(struct ept *ept, uint64_t *slot)
{
	phys_t frame = put_zeros(ept, slot);

	ept->is_remapped = true;
	if (frame != 0)
		frame_free(frame);
}

phys_t ept_discard(struct ept *ept, gpa_t gpa)
{
	uint64_t *slot, large;
	phys_t frame;

	slot = own_slot(ept, gpa, &large);
	if (large != 0 && walk(ept, gpa, 0, &slot) != OK)
		return 0;
	if (slot == NULL || !(*slot & EPT_OWN))
		return 0;
	frame = put_zeros(ept, slot);
	move_on(ept);
	return frame;
}

enum status ept_drop(struct ept *ept, gpa_t gpa, uint64_t len, uint64_t *ret_done)
{
	uint64_t entry, *slot;
	unsigned level;

	assert(gpa.raw >= EPT_HIDDEN_START && is_aligned(gpa.raw | len, PAGE_SIZE));
	*ret_done = PAGE_SIZE;
	entry = ept_lookup(ept, gpa, &level);
	if (level == 0 && (entry & EPT_ADDR) == zero_tree[0])
		return OK;
	if (is_aligned(gpa.raw, level_size(1)) && len >= level_size(1) &&
	    descend_own(ept, gpa, &entry) > 0) {
		*ret_done = level_size(1);
		return ept_map_zero(ept, gpa, level_size(1));
	}
	TRY(walk(ept, gpa, 0, &slot));
	drop_page(ept, slot);
	return OK;
}

uint64_t ept_next_own(const struct ept *ept, gpa_t *gpa, gpa_t end, unsigned *budget)
{
	assert(is_mappable(end, 0));
	for (; ept_owns_tables(ept) && *budget > 0 && gpa->raw < end.raw; (*budget)--) {
		uint64_t entry;
		unsigned level = descend_own(ept, *gpa, &entry);

		if (entry & EPT_OWN)
			return entry;
		gpa->raw = align_down(gpa->raw, level_size(level)) + level_size(level);
	}
	if (!ept_owns_tables(ept) || gpa->raw > end.raw)
		*gpa = end;
	return 0;
}

void ept_seal(struct ept *ept, gpa_t gpa)
{
	uint64_t *slot = find_own(ept, gpa);

	assert(slot != NULL);
	ept_store(slot, *slot & ~EPT_W);
	move_on(ept);
}

static bool is_sealed(const uint64_t *slot, phys_t frame)
{
	return slot != NULL && (*slot & EPT_ADDR) == frame && !(*slot & EPT_W);
}

void ept_unseal(struct ept *ept, gpa_t gpa, phys_t frame)
{
	uint64_t *slot = find_own(ept, gpa);

	if (!is_sealed(slot, frame))
		return;
	ept_store(slot, *slot | EPT_W);
	move_on(ept);
}

phys_t ept_give_back(struct ept *ept, gpa_t gpa, phys_t frame, uint64_t leaf)
{
	uint64_t *slot = find_own(ept, gpa);

	assert(!(leaf & (EPT_OWN | EPT_W | EPT_LARGE)));
	if (!is_sealed(slot, frame))
		return 0;
	ept_store(slot, leaf | EPT_MERGED);
	merged_use();
	ept->n_owned--;
	move_on(ept);
	return frame;
}

phys_t ept_zero_frame(void)
{
	return zero_tree[0];
}

phys_t ept_zero_table(unsigned level)
{
	return zero_tree[level];
}

struct ept ept_view(phys_t root)
{
	return (struct ept){.root = root, .top = *table_at(root)};
}

uint64_t ept_lookup_below(const struct ept *ept, gpa_t gpa, unsigned *ret_level)
{
	struct ept layer;

	if (ept->base == NULL)
		return 0;
	layer = ept_view(ept->base->root);
	return ept_lookup(&layer, gpa, ret_level);
}

enum status ept_override(struct ept *ept, gpa_t gpa, uint64_t entry, uint64_t *ret_old)
{
	uint64_t *slot, old;

	assert(!(entry & (EPT_OWN | EPT_LARGE)));
	if (gpa.raw >= EPT_HIDDEN_START)
		return ERR_RANGE;
	TRY(walk(ept, gpa, 0, &slot));
	old = *slot;
	if (old & (EPT_OWN | EPT_MERGED))
		return ERR_INVAL;
	ept->is_remapped = true;
	ept_store(slot, entry | (old & EPT_RETURNED));
	if (old & EPT_PRESENT)
		move_on(ept);
	*ret_old = old & ~EPT_RETURNED;
	return OK;
}

void ept_keep_code_small(void)
{
	code_is_small = true;
}

enum status ept_setup(void)
{
	phys_t run = frame_alloc_run(ARRAY_SIZE(zero_tree), PAGE_SIZE);

	if (run == 0)
		return ERR_NOMEM;
	zero_tree[0] = run;
	zero_tree[1] = run + PAGE_SIZE;
	memset(phys_to_virt(run), 0, PAGE_SIZE);
	for (unsigned i = 0; i < ENTRIES; i++)
		table_at(zero_tree[1])[i] = shown(fresh());
	return OK;
}

enum status ept_init(struct ept *ept, unsigned leaf_levels, uint64_t max_owned)
{
	phys_t root = max_owned > 0 ? frame_alloc_zeroed() : 0;

	assert(leaf_levels >= 1 && leaf_levels <= 3);
	assert(zero_tree[0] != 0);
	if (root == 0)
		return ERR_NOMEM;
	*ept = (struct ept){
		.root = root,
		.owns_root = true,
		.leaf_levels = leaf_levels,
		.generation = 1,
		.n_owned = 1,
		.max_owned = max_owned,
	};
	return OK;
}

/*
 * Turn one of the tree's entries into a layer's: not own, not writable. Clear an item whose entry
 * is not own, or appears again.
 */
static void freeze_entry(struct ept_log_item *item)
{
	uint64_t *slot = (uint64_t *)item->slot, entry;

	if (slot == NULL)
		return;
	entry = *slot;
	if (entry & EPT_MERGED)
		item->slot |= EPT_LAYER_MERGED;
	else if (!(entry & EPT_OWN))
		item->slot = 0;
	if (entry & EPT_LOGGED)
		ept_store(slot, entry & ~(EPT_LOGGED | EPT_W));
}

/* Let the tree run on the layer's root. It owns nothing except retired frames. */
static void run_on(struct ept *ept, struct ept_layer *layer)
{
	ept->base = layer;
	ept->root = layer->root;
	ept->top = layer->top;
	ept->owns_root = false;
	ept->is_remapped = false;
	ept->n_owned = ept->n_retired;
}

static void get_layer(struct ept_layer *layer)
{
	__atomic_fetch_add(&layer->n_refs, 1, __ATOMIC_RELAXED);
}

static bool is_narrow(const uint64_t *root)
{
	for (unsigned i = 1; i < ENTRIES; i++)
		if (root[i] & EPT_PRESENT)
			return false;
	return is_table(root[0], ROOT_LEVEL);
}

/* The frames for a layer, and for its root. */
static enum status take_layer_frames(struct ept *ept, phys_t *ret)
{
	phys_t frame = frame_alloc(), root = frame && !ept->owns_root ? frame_alloc() : 0;

	if (frame == 0)
		return ERR_NOMEM;
	if (root != 0) {
		move_to_root(ept, root);
	} else if (!ept->owns_root) {
		frame_free(frame);
		return ERR_NOMEM;
	}
	*ret = frame;
	return OK;
}

enum status ept_freeze(struct ept *ept, struct ept_layer **ret)
{
	static uint64_t n_layers; /* atomic */
	struct ept_layer *layer = ept->base;

	if (ept_owns_tables(ept)) {
		phys_t frame;

		TRY(take_layer_frames(ept, &frame));
		layer = phys_to_virt(frame);
		/* The count on the parent passes from the tree to the layer. */
		*layer = (struct ept_layer){
			.n_refs = 1,
			.root = ept->root,
			.top = ept->top & ~(EPT_LOGGED | EPT_W),
			.is_narrow = is_narrow(table_at(ept->root)),
			.serial = __atomic_add_fetch(&n_layers, 1, __ATOMIC_RELAXED),
			.parent = ept->base,
			.leaf_levels = ept->leaf_levels,
			.n_owned = ept->n_owned - ept->n_retired,
		};
		layer->log = ept->log;
		ept->log = (struct ept_log){0};
		run_on(ept, layer);
		move_on(ept);
	}
	get_layer(layer);
	*ret = layer;
	return OK;
}

/* Replace an item by its frame, or its block: tables contain the slots of other items. */
static void collect(struct ept_log_item *item)
{
	const uint64_t *slot = (const uint64_t *)(item->slot & ~EPT_LAYER_MERGED);

	if (slot == NULL)
		return;
	if (item->slot & EPT_LAYER_MERGED)
		merged_drop(*slot & EPT_ADDR);
	item->slot = item->slot & EPT_LAYER_MERGED ? 0 : *slot & (EPT_ADDR | EPT_LARGE);
}

static void free_collected(struct ept_log_item *item)
{
	if (item->slot)
		free_target(item->slot);
}

/* Continue through the log, by up to n items. True: the last one is done. */
static bool go_on(struct ept_layer *layer, void (*handle)(struct ept_log_item *item), unsigned n)
{
	for (; n > 0; n--) {
		struct ept_log_item *item = ept_log_next(&layer->cursor);

		if (item == NULL)
			return true;
		handle(item);
	}
	return false;
}

/* Handle up to n items; after the last one the layer makes progress. */
static void go_on_to_next(struct ept_layer *layer, void (*handle)(struct ept_log_item *item),
			  unsigned n)
{
	if (layer->cursor.log == NULL)
		layer->cursor = ept_log_begin(&layer->log);
	if (!go_on(layer, handle, n))
		return;
	layer->progress++;
	layer->cursor.log = NULL;
}

bool ept_layer_freeze_some(struct ept_layer *layer, unsigned n)
{
	if (layer->progress == LAYER_FREEZES)
		go_on_to_next(layer, freeze_entry, n);
	return layer->progress == LAYER_FREEZES;
}

bool ept_layer_free_some(struct ept_layer *layer, unsigned n)
{
	/* A clone that was frozen before it wrote has its template's layer. */
	if (ept_layer_is_shared(layer))
		return false;
	if (layer->progress == LAYER_FREED)
		return ept_log_free_some(&layer->log, n);
	go_on_to_next(layer, layer->progress == LAYER_WHOLE ? collect : free_collected, n);
	return true;
}

/* Continue with the frames of the next item; a merged page has none. False: there is no item. */
static bool find_frames(struct ept_layer_cursor *cursor, void (*visit)(void *context, phys_t frame),
			void *context)
{
	phys_t chunk = cursor->log.chunk;
	const struct ept_log_item *item = ept_log_next(&cursor->log);

	if (cursor->log.chunk != chunk && cursor->log.chunk)
		visit(context, cursor->log.chunk);
	if (item == NULL)
		return false;
	if (item->slot && !(item->slot & EPT_LAYER_MERGED)) {
		uint64_t entry = *(const uint64_t *)item->slot;

		cursor->next = entry & EPT_ADDR;
		cursor->end = cursor->next + n_frames_of(entry) * PAGE_SIZE;
	}
	return true;
}

bool ept_layer_each(struct ept_layer *layer, struct ept_layer_cursor *cursor, unsigned n,
		    void (*visit)(void *context, phys_t frame), void *context)
{
	if (cursor->log.log == NULL) {
		cursor->log = ept_log_begin(&layer->log);
		visit(context, layer->root);
		if (cursor->log.chunk)
			visit(context, cursor->log.chunk);
	}
	for (; n > 0; n--) {
		if (cursor->next == cursor->end && !find_frames(cursor, visit, context))
			return false;
		if (cursor->next == cursor->end)
			continue;
		visit(context, cursor->next);
		cursor->next += PAGE_SIZE;
	}
	return true;
}

static void add_frame(void *to, phys_t frame)
{
	const uint64_t *word = phys_to_virt(frame);
	uint64_t *value = to, sum = *value;

	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		sum = ((sum ^ sum >> 29) + (word[i] & ~BITS(6, 5))) * UINT64_C(0x9e3779b97f4a7c15);
	*value = sum;
}

bool ept_layer_sum_some(struct ept_layer *layer, struct ept_layer_sum *sum, unsigned n)
{
	if (!sum->is_complete)
		sum->is_complete = !ept_layer_each(layer, &sum->cursor, n, add_frame, &sum->value);
	return !sum->is_complete;
}

void ept_layer_put(struct ept_layer *layer)
{
	/*
	 * Release: the caller no longer uses the layer's tables. Acquire: the
	 * last put, which frees them, comes after all others. The other side is
	 * this line on other processors.
	 */
	while (layer != NULL && __atomic_sub_fetch(&layer->n_refs, 1, __ATOMIC_ACQ_REL) == 0) {
		struct ept_layer *parent = layer->parent;

		while (ept_layer_free_some(layer, UINT32_MAX))
			;
		ept_log_free(&layer->log);
		frame_free(layer->root);
		frame_free(virt_to_phys(layer));
		layer = parent;
	}
}

void ept_clone(struct ept *ept, struct ept_layer *layer, uint64_t max_owned)
{
	get_layer(layer);
	ept->log_dangles = false;
	ept->leaf_levels = layer->leaf_levels;
	ept->generation = 1;
	ept->max_owned = max_owned;
	ept->retired = ept->n_retired = 0;
	ept_log_init(&ept->log);
	run_on(ept, layer);
}

/* Empty the items in retired tables: their entries are no longer own. */
static void mend_log(struct ept *ept)
{
	struct ept_log_cursor cursor = ept_log_begin(&ept->log);
	struct ept_log_item *item;

	while ((item = ept_log_next(&cursor)) != NULL)
		if (item->slot && !(*(uint64_t *)item->slot & EPT_LOGGED))
			item->slot = 0;
	ept->log_dangles = false;
}

/* Free an entry that is not one frame of the tree's own. Returns how many frames. */
static __attribute__((noinline)) unsigned free_other(uint64_t entry)
{
	drop_merged(entry);
	if (!(entry & EPT_OWN))
		return 0;
	frame_free_block(entry & EPT_ADDR);
	return ENTRIES;
}

/* Free what the item's entry leads to, if the tree owns it. Returns how many frames. */
static inline __attribute__((always_inline)) unsigned free_item(struct frame_stack *stack,
								const struct ept_log_item *item)
{
	uint64_t *slot = (uint64_t *)item->slot, entry;

	if (slot == NULL)
		return 0;
	entry = *slot;
	*slot = 0; /* the slot may be in the log twice */
	if (!is_own_frame(entry))
		return free_other(entry);
	frame_free_here(stack, entry & EPT_ADDR);
	return 1;
}

/*
 * Free all that the tree owns, while no processor uses it. From the log's end on, a table comes
 * after all of its entries.
 */
static void free_all(struct ept *ept)
{
	struct frame_stack *stack = frame_stack_here();
	const struct ept_log_item *item;
	struct ept_log_cursor cursor;
	uint64_t n;

	ept_reclaim(ept);
	n = ept->owns_root + ept->log.n_chunks;
	cursor = ept_log_begin(&ept->log);
	while ((item = ept_log_next(&cursor)) != NULL)
		n += free_item(stack, item);
	if (ept->owns_root)
		frame_free(ept->root);
	ept_log_free(&ept->log);
	assert(n == ept->n_owned);
	ept->n_owned = 0;
}

bool ept_free_some(struct ept *ept)
{
	struct frame_stack *stack = frame_stack_here();
	struct ept_log_cursor cursor;
	uint64_t n = 1; /* the log's frame */

	ept_reclaim(ept);
	if (ept->log.chunk == 0)
		return false;
	cursor = ept_log_begin(&ept->log);
	for (; cursor.at != cursor.start; cursor.at--)
		n += free_item(stack, cursor.at - 1);
	ept_log_drop_latest(&ept->log);
	ept->n_owned -= n;
	return true;
}

/* What free_pages() has found: pages, of the tree's own or merged, and items without. */
struct tally {
	uint64_t n_used, n_idle;
};

/* Free an own page, whose slot gets back what it had before. */
static void put_back_own(struct ept *ept, const struct ept_log_item *item)
{
	uint64_t *slot = (uint64_t *)item->slot;

	frame_free(*slot & EPT_ADDR);
	ept->n_owned--;
	*slot = item->leaf | EPT_RETURNED;
}

/* Put back a merged page. False: the item has none. */
static __attribute__((noinline)) bool put_back_merged(const struct ept_log_item *item)
{
	uint64_t *slot = (uint64_t *)item->slot;

	if (!(*slot & EPT_MERGED))
		return false;
	drop_merged(*slot);
	*slot = item->leaf | EPT_RETURNED;
	return true;
}

/* Put back what the slots of pages had before, and free the pages. Tables stay. */
static inline struct tally free_pages(struct ept *ept)
{
	struct frame_stack *stack = frame_stack_here();
	struct ept_log_cursor cursor = ept_log_begin(&ept->log);
	uint64_t n_items = 0, n_own = 0, n_merged = 0;

	do {
		const struct ept_log_item *item = cursor.at, *start = cursor.start;

		n_items += (uint64_t)(item - start);
		while (item != start) {
			uint64_t leaf = (--item)->leaf, *slot, entry;

			if (leaf == 0)
				continue;
			slot = (uint64_t *)item->slot;
			entry = *slot;
			if (entry & EPT_OWN) {
				*slot = leaf | EPT_RETURNED;
				frame_free_here(stack, entry & EPT_ADDR);
				n_own++;
			} else {
				n_merged += put_back_merged(item);
			}
		}
		cursor.at = cursor.start;
	} while (cursor.chunk != 0 && ept_log_step_back(&cursor));
	ept->n_owned -= n_own;
	return (struct tally){n_own + n_merged, n_items - n_own - n_merged};
}

/*
 * Free the pages. False: the tables are not worth their memory, or the time that their log takes.
 * Few frames may stay although frames are scarce.
 */
static bool keep_tables(struct ept *ept)
{
	struct tally tally;

	if (ept->is_remapped)
		return false;
	tally = free_pages(ept);
	if (tally.n_used > 0)
		move_on(ept);
	return tally.n_idle <= 4 * tally.n_used + IDLE_MIN && ept->n_owned <= ept->max_owned / 64 &&
	       (ept->n_owned <= KEPT_MIN || !frame_is_scarce());
}

void ept_reset(struct ept *ept)
{
	if (!ept_owns_tables(ept) || keep_tables(ept))
		return;
	assert(ept->base != NULL);
	free_all(ept);
	run_on(ept, ept->base);
	move_on(ept);
}

static bool is_same_page(uint64_t a, uint64_t b)
{
	return memcmp(table_of(a), table_of(b), PAGE_SIZE) == 0;
}

/* Give each own page the bytes back that were there before. Returns whether an entry has changed.
 */
static bool restore_pages(struct ept *ept, bool trims)
{
	struct ept_log_cursor cursor = ept_log_begin(&ept->log);
	const struct ept_log_item *item;
	bool has_changed = false;

	while ((item = ept_log_next(&cursor)) != NULL) {
		uint64_t entry = *(const uint64_t *)item->slot;

		if (item->leaf == 0)
			continue;
		if (!(entry & EPT_OWN)) {
			has_changed |= put_back_merged(item);
		} else if (trims && is_same_page(entry, item->leaf)) {
			put_back_own(ept, item);
			has_changed = true;
		} else {
			copy_page(entry & EPT_ADDR, item->leaf & EPT_ADDR);
		}
	}
	return has_changed;
}

/* Whether the tree's pages may stay, and are not few among what the log lists. */
static bool may_restore(const struct ept *ept, uint64_t max_owned)
{
	return ept_owns_tables(ept) && !ept->is_remapped && ept->n_owned <= max_owned &&
	       ept->n_owned <= ept->max_owned / 2 && ept->log.n_chunks <= 1 + ept->n_owned / 32 &&
	       !frame_is_scarce();
}

bool ept_restore(struct ept *ept, uint64_t max_owned, bool trims)
{
	if (!may_restore(ept, max_owned)) {
		ept_reset(ept);
		return false;
	}
	if (restore_pages(ept, trims))
		move_on(ept);
	return true;
}

void ept_destroy(struct ept *ept)
{
	if (ept_owns_tables(ept))
		free_all(ept);
	ept_reclaim(ept);
	assert(ept->n_owned == 0);
	ept_layer_put(ept->base);
	*ept = (struct ept){0};
}

void ept_reclaim(struct ept *ept)
{
	if (ept->log_dangles)
		mend_log(ept);
	free_chain(ept->retired);
	ept->retired = 0;
	ept->n_owned -= ept->n_retired;
	ept->n_retired = 0;
}

void ept_trim(struct ept *ept)
{
	mend_log(ept);
	ept->n_owned -= ept_log_drop_empty(&ept->log);
}
