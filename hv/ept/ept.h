/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/format.h"
#include "hv/ept/log.h"
#include "hv/frame/frame.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* For 'max_owned': no limit. */
#define EPT_UNLIMITED UINT64_MAX

/* How far ept_layer_each() has got. Begins with zeros. */
struct ept_layer_cursor {
	struct ept_log_cursor log;
	phys_t next, end; /* frames of an item that are still to be visited */
};

/* How far a checksum of a layer has got, see ept_layer_sum_some(). Begins with zeros. */
struct ept_layer_sum {
	struct ept_layer_cursor cursor;
	uint64_t value;
	bool is_complete;
};

/*
 * An immutable ancestor: a tree that was frozen. Its tables and pages live
 * until the last tree or layer above is gone. It has a frame of its own. All
 * fields are constant, except the count, which is atomic. No entry has EPT_OWN
 * or EPT_MERGED, and only shared memory has EPT_W: a tree can run on its
 * tables, and can copy them unchanged.
 */
struct ept_layer {
	uint64_t n_refs;
	phys_t root;
	uint64_t top;		  /* the root's first entry, as frozen */
	bool is_narrow;		  /* processors find nothing by the root's other entries */
	uint64_t serial;	  /* from 1, never used again, unlike the frame of the root */
	struct ept_layer *parent; /* what the frozen tree was cloned from; NULL: nothing */
	unsigned leaf_levels;
	uint64_t n_owned;   /* frames, including tables, without the layer's own */
	struct ept_log log; /* of what the tree owned; an item may have EPT_LAYER_MERGED */
	uint64_t n_found;   /* references that hv/ept/audit.h has found; used by it only */
	/* How far ept_layer_freeze_some() or ept_layer_free_some() has got. */
	struct ept_log_cursor cursor;
	enum { LAYER_FREEZES, LAYER_WHOLE, LAYER_COLLECTED, LAYER_FREED } progress;

	/* Written by who makes the layer a template's, before the first clone: */

	struct ept_layer_sum sum;	    /* taken after the freeze, if it is complete */
	struct ept_layer_cursor protecting; /* hv/vm/protect.c: zeros, before it begins */
	bool is_protected;		    /* all of it */

	/* Of the boot processor, which saves and loads: the id of its memory, 0: not saved yet. */
	uint64_t saved_id;
};

/*
 * A persistent tree: it owns the tables and pages that it made itself, and
 * borrows everything else from an immutable layer, from images, or from the
 * machine's zeros. Guarded by the owning VM's lock.
 *
 * Ownership: an entry's target is the tree's own when EPT_OWN is set in it and
 * in every entry on the way there from the root, and the root is own. In an own
 * table, entries with EPT_OWN have R, W and X; a table entry without EPT_OWN
 * has no W; a leaf without EPT_OWN has W only if it is shared memory. Own pages
 * are 4 KiB, and some are large, 2 MiB: each of those is a block of
 * hv/frame/frame.h, counts as its frames, and is never sealed or merged. What
 * concerns one page of it splits it. An own page of 4 KiB may be sealed, without
 * W: ept_copy() unseals it for the next writer. A leaf with EPT_MERGED replaces an own page that
 * was found equal to another one. Its page is borrowed from what is below the tree, or from
 * hv/ept/merged.h, where the leaf holds a count.
 *
 * A clone of ordinary size needs no root of its own, because processors find all of its memory by
 * the first entry of the root, which is in 'top'. It has its layer's root for the other entries. As
 * soon as 'top' is own, processors use a root that is theirs, with this entry: see vcpu_forget().
 * Only a change of another entry takes a root for the tree.
 *
 * Fresh memory (EPT_FRESH) is private and anonymous, and was never touched:
 * it has no translation, which processors could cache. The first write gives a
 * page a frame and leaves the generation as it is. A processor that still has
 * the table above, from before that became own, faults once more.
 *
 * Generation: incremented when a present translation, or the root, has changed.
 * Before a processor enters the guest it must, since the last increment, have
 * loaded the EPT pointer from 'root', or stored an own 'top' in a root of its own, and executed
 * INVEPT for that. Starts at 1,
 * so that a vCPU which has seen 0 has seen nothing: the root's frame may have
 * been another tree's root before, and be cached as such.
 */
struct ept {
	phys_t root;		/* frame of the level-4 table; may change with the generation */
	uint64_t top;		/* the root's first entry; without 'owns_root', instead of that */
	bool owns_root;		/* false: 'root' is the layer's */
	bool log_dangles;	/* the log has slots of retired tables */
	bool is_remapped;	/* the log does not tell all that differs from the base */
	unsigned leaf_levels;	/* 1: 4K pages only, 2: also 2M, 3: also 1G */
	struct ept_layer *base; /* what the tree was cloned from; NULL: nothing */
	uint64_t generation;	/* written under the lock, with release; see above */
	uint64_t n_owned;	/* frames, including tables and retired ones */
	uint64_t max_owned;	/* limit of n_owned; ERR_NOMEM above */
	/* Waiting for ept_reclaim(), chained through their first words. EPT_LARGE: to a block. */
	uint64_t retired;
	uint64_t n_retired;
	/* All slots below the root whose entries have a bit of EPT_LOGGED, and perhaps others. */
	struct ept_log log;
};

/* Whether the tree has tables of its own. Otherwise it runs on its layer's. */
static inline bool ept_owns_tables(const struct ept *ept)
{
	return ept->owns_root || (ept->top & EPT_OWN);
}

/*
 * Make the zeros that trees borrow, two frames for the whole machine. Call once
 * at start-up, when there are frames and before the first tree. ERR_NOMEM: no
 * frame was taken.
 */
enum status ept_setup(void);

/*
 * From now on large pages are not executable: the first fetch from one splits it, see
 * ept_split(). Some processors raise a machine check for a page that is code at two sizes.
 * Call before the first tree.
 */
void ept_keep_code_small(void);

/* Make an empty tree. ERR_NOMEM: no frame was taken. */
enum status ept_init(struct ept *ept, unsigned leaf_levels, uint64_t max_owned);

/*
 * Map [gpa, gpa + len), whole pages, to hpa with the leaf bits 'attr',
 * replacing what is mapped there. With attr = 0 unmap, and ignore hpa. Uses the
 * largest pages that fit.
 *
 * Each page changes by a single ept_store(), so that a running vCPU sees the
 * old or the new translation, never a broken one. But a range with pages of the
 * tree's own may only be replaced while no vCPU is in the guest: retired frames
 * are chained through their first words.
 *
 * A range ends at EPT_HIDDEN_START, or begins there or above: what is mapped
 * there has no effect for processors, and all other functions treat it as any
 * other memory.
 *
 * ERR_RANGE: above EPT_GPA_BITS or the widest physical address; nothing was
 * done. ERR_NOMEM: a leading part of the range may have been mapped.
 */
enum status ept_map(struct ept *ept, gpa_t gpa, phys_t hpa, uint64_t len, uint64_t attr);

/*
 * Map anonymous memory: like ept_map(), but the memory is fresh. Its memory type
 * is write-back.
 */
enum status ept_map_zero(struct ept *ept, gpa_t gpa, uint64_t len);

/*
 * The entry that translates gpa, with the effective permissions: those on the
 * way are ANDed in. EPT_OWN is set only if the page is the tree's own. Of fresh
 * memory, an entry of 4K with EPT_FRESH, whose frame has the bytes. 0: not
 * mapped. 'ret_level' is the size of the page (0: 4K, 1: 2M, 2: 1G), or of the
 * hole.
 */
uint64_t ept_lookup(const struct ept *ept, gpa_t gpa, unsigned *ret_level);

/* The frame of gpa's page, by what ept_lookup() returned. */
static inline phys_t ept_frame_at(uint64_t entry, unsigned level, gpa_t gpa)
{
	return (entry & EPT_ADDR) + (gpa.raw & ((PAGE_SIZE << (9 * level)) - PAGE_SIZE));
}

/*
 * Prepare a write to private memory: give the tree its own copy of the page,
 * mapped R, W, X with its memory type unchanged. If there is such a copy,
 * return its frame. Not for shared memory or ROM.
 *
 * After every store, all other pages translate as before. Unless the page was
 * fresh, the generation is
 * incremented, and the writer itself needs the INVEPT as well. SDM vol. 3,
 * "Operations that Invalidate Cached Mappings": the violation drops the
 * combined mappings of one linear address only, and the guest may have read the
 * page at another.
 *
 * ERR_RANGE, ERR_NOTFOUND: nothing is mapped there. ERR_NOMEM: all translations
 * are unchanged; tables that were made on the way stay, for the next attempt.
 */
enum status ept_copy(struct ept *ept, gpa_t gpa, phys_t *ret_frame);

/*
 * The same, fast, for the first copy of a page whose tables are own. False: it is none, or there is
 * no memory; nothing has changed.
 */
bool ept_copy_beside(struct ept *ept, gpa_t gpa);

/*
 * Prepare a read of fresh memory: let processors find its zeros, which costs no
 * frame but those of tables. Shows 2 MiB if they are fresh as a whole, or else
 * the fresh ones of the EPT_SHOWN pages around gpa. The generation stays. ERR_RANGE,
 * ERR_NOMEM: as ept_copy().
 */
#define EPT_SHOWN 16
enum status ept_show_zeros(struct ept *ept, gpa_t gpa);

/*
 * After ept_copy() of a fresh page: give memory that is written in order frames
 * in advance. As many fresh pages after gpa get one as own pages lie before it,
 * or if there are none, the other way round; up to EPT_AROUND_MAX, within
 * [start, end) and the same 2 MiB. So the tree's pages at most double. None while
 * frames are scarce, nor if the tree would own more than half of its limit. The
 * generation stays.
 */
#define EPT_AROUND_MAX 15
void ept_fill_around(struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end);

/*
 * Before ept_copy() of fresh memory in the region ['start', 'end'): give all of gpa's 2 MiB one
 * large page at once, if they are fresh as a whole and the tree owns all of the 2 MiB before or
 * after them, so that memory which is written in order is mapped by large pages. Not for a clone's
 * tree, whose memory is to be small, nor if that takes more than half of the limit or frames are
 * scarce. The generation stays as it is. False: no page was made, but tables may have been.
 */
bool ept_fill_large(struct ept *ept, gpa_t gpa, gpa_t start, gpa_t end);

/*
 * ept_copy() with the copy's frame chosen by a policy, 'index' as in
 * frame_alloc_by(). Tables come from any node. ERR_NOMEM also if there are
 * frames, but none that the policy allows.
 */
enum status ept_copy_by(struct ept *ept, gpa_t gpa, const struct frame_policy *policy,
			uint64_t index, phys_t *ret_frame);

/*
 * ept_copy_by() for n pages of private memory within one aligned 2 MiB, while
 * no vCPU is in the guest. Several processors may fill different ranges at the
 * same time. Begin returns the pages' entries, which belong to the caller until
 * the end: the caller fills them without the VM's lock. Begin and end need the
 * lock, and each begin that returns OK needs its end. ERR_RANGE, ERR_NOMEM,
 * ERR_NOTFOUND: as ept_copy_by(); filled pages stay.
 */
enum status ept_populate_begin(struct ept *ept, gpa_t gpa, unsigned n_pages, uint64_t **ret);
enum status ept_populate_page(uint64_t *entry, const struct frame_policy *policy, uint64_t index);
void ept_populate_end(struct ept *ept, const uint64_t *entries, unsigned n_pages);

/*
 * The same for all of an aligned 2 MiB, which become one large page in 'block', in place of what
 * the tree owns there. Of use if leaf_levels is more than 1. Begin returns an entry, which belongs
 * to the caller until the end; ept_populate_large() fills the block from it, without the VM's lock.
 * The tree owns the block from the end on. NULL: it is one large page already, and no end follows.
 * ERR_RANGE, ERR_NOMEM: as ept_copy_by(). ERR_NOTFOUND: a page of the range is not mapped.
 */
enum status ept_populate_large_begin(struct ept *ept, gpa_t gpa, uint64_t **ret);
void ept_populate_large(const uint64_t *entry, phys_t block);
void ept_populate_large_end(struct ept *ept, uint64_t *entry, phys_t block);

/*
 * Put zeros in the place of private pages that are hidden: one page at gpa, or 2 MiB if they have
 * no own page and lie within 'len', both as ept_map(). Returns how many bytes. The frame of an own
 * page is free at once, because no processor has its translation. ERR_NOMEM: nothing has changed.
 */
enum status ept_drop(struct ept *ept, gpa_t gpa, uint64_t len, uint64_t *ret_done);

/*
 * Put zeros in the place of an own page, and return its frame, which the caller then owns, and
 * frees once all processors have caught up with the generation. 0: the page is not own, and nothing
 * has changed: pages of layers and images stay where they are. 0 also if the page is a part of a
 * large one, and there is no memory for the table that this is split into. The VM's lock is held;
 * vCPUs may be in the guest.
 */
phys_t ept_discard(struct ept *ept, gpa_t gpa);

/*
 * Merging, with the VM's lock held; vCPUs may be in the guest. Four steps: find
 * an own page; seal it; once every processor has caught up with the generation,
 * give it back if it is still sealed and still equals another page; free its
 * frame once all processors have caught up again.
 *
 * ept_next_own: the entry of the first own page at or above *gpa and below
 * 'end'; *gpa advances to it. With EPT_LARGE the page is a large one, which may
 * begin below *gpa. 0: there is none, or '*budget' entries were looked at; *gpa
 * advances past them. '*budget' decreases by the entries looked at. ept_seal: the
 * page must be own, and not large. ept_unseal: make the page writable if it
 * is still sealed. ept_give_back: replace the sealed page by 'leaf' (with R, X
 * and memory type only) and return its frame, which the caller then owns. 0:
 * the page has another frame or is not sealed; nothing has changed.
 */
uint64_t ept_next_own(const struct ept *ept, gpa_t *gpa, gpa_t end, unsigned *budget);
void ept_seal(struct ept *ept, gpa_t gpa);
void ept_unseal(struct ept *ept, gpa_t gpa, phys_t frame);
phys_t ept_give_back(struct ept *ept, gpa_t gpa, phys_t frame, uint64_t leaf);

/* The frame of zeros that zero memory borrows. Never written. */
phys_t ept_zero_frame(void);
/* At level 0 that frame, above it a table full of the one below. */
#define EPT_ZERO_LEVELS 2
phys_t ept_zero_table(unsigned level);
/* The tree with that root, for ept_lookup() alone. */
struct ept ept_view(phys_t root);
/* The leaf by which the layer below the tree translates gpa, as ept_lookup(). 0: not mapped. */
uint64_t ept_lookup_below(const struct ept *ept, gpa_t gpa, unsigned *ret_level);

/*
 * Split the large page at gpa into pages of 4 KiB with the same rights; those of a page with
 * EPT_SMALL_CODE can then be executed. Processors that still use the large page fault once more if
 * they execute it. ERR_RANGE, ERR_NOMEM: as ept_copy().
 */
enum status ept_split(struct ept *ept, gpa_t gpa);

/*
 * Count a frame that the VM has besides the tree's against the tree's limit, and no longer.
 * ERR_NOMEM: the limit is reached.
 */
enum status ept_charge(struct ept *ept);
void ept_discharge(struct ept *ept);

/*
 * Make all tables needed to copy single pages in [gpa, gpa + len), without
 * changing a translation. From then on such a copy takes only its own frame,
 * and sometimes one for the log. ERR_RANGE, ERR_NOMEM: as ept_copy().
 */
enum status ept_make_tables(struct ept *ept, gpa_t gpa, uint64_t len);

/*
 * Replace one 4 KiB leaf by the raw 'entry', splitting large pages as needed,
 * and return the leaf that was there (0: none). For a single instruction that
 * writes to ROM: maps a scratch page, then the ROM again. 'entry' is without
 * EPT_OWN. ERR_INVAL: the page is the tree's own. ERR_RANGE: no processor
 * would find it there. ERR_NOMEM: as ept_copy().
 */
enum status ept_override(struct ept *ept, gpa_t gpa, uint64_t entry, uint64_t *ret_old);

/*
 * Turn the tree into a layer, and 'ept' into an unchanged clone of it, which
 * may run. No vCPU may be in the guest; the generation is incremented. The
 * caller gets a count on the layer. ERR_NOMEM: nothing has changed.
 *
 * Until ept_layer_freeze_some() has returned false, both may be used for that
 * call only.
 */
enum status ept_freeze(struct ept *ept, struct ept_layer **ret);

/* Freeze about n entries. False: the layer is whole. */
bool ept_layer_freeze_some(struct ept_layer *layer, unsigned n);

/*
 * Drop a count on a layer, on any processor, with any lock held. The last put frees the layer's
 * frames and drops its count on the parent.
 */
void ept_layer_put(struct ept_layer *layer);

/* Whether others than the caller have a count on the layer. */
static inline bool ept_layer_is_shared(const struct ept_layer *layer)
{
	/* Acquire pairs with ept_layer_put(): who has put the layer uses it no longer. */
	return __atomic_load_n(&layer->n_refs, __ATOMIC_ACQUIRE) > 1;
}

/*
 * Free about n frames of a layer that is not shared, so that the last put has less to do. False:
 * all that takes long is done, or the layer is shared, and ept_layer_put() must follow.
 */
bool ept_layer_free_some(struct ept_layer *layer, unsigned n);

/*
 * Visit the frames that hold the layer's tables, pages and log, about n of them at a time. Begin
 * with a cursor of zeros. False: the last one was visited.
 */
bool ept_layer_each(struct ept_layer *layer, struct ept_layer_cursor *cursor, unsigned n,
		    void (*visit)(void *context, phys_t frame), void *context);

/*
 * Add about n frames to a checksum of the layer's own tables, pages and log, which is constant
 * until ept_layer_free_some(). Bits 6:5 of each 8 bytes are ignored: in a guest's page tables they
 * are accessed and dirty flags, which an emulator may set although no EPT entry allows a write
 * (Bochs does). False: the checksum is complete, and stays as it is.
 */
bool ept_layer_sum_some(struct ept_layer *layer, struct ept_layer_sum *sum, unsigned n);

/*
 * Make a tree that translates like the layer and owns no page. Takes a count on
 * the layer and no frame: the tree runs on the layer's root until its first
 * change.
 */
void ept_clone(struct ept *ept, struct ept_layer *layer, uint64_t max_owned);

/*
 * Return to what was cloned; 'ept' has a base. No vCPU may be in the guest. Pages and retired
 * frames are freed. Tables and their log stay, for a tree that writes to the same places again, if
 * they are a 64th of its limit at most, and the tree has used a good part of them since the last
 * reset; while frames are scarce only a few stay. If nothing stays, what processors have cached is
 * harmless, as after ept_destroy(). The time is proportional to what the tree owns.
 */
void ept_reset(struct ept *ept);

/*
 * The same for a tree that will write to the same pages again: its pages stay, and get the bytes of
 * what they were copied from, so that no write to them needs an exit. With 'trims', pages that have
 * these bytes already are freed: the tree has not changed them since they were restored. False: all
 * were freed by ept_reset(), because the tree owns more than 'max_owned' frames or half of its
 * limit, or frames are scarce.
 */
bool ept_restore(struct ept *ept, uint64_t max_owned, bool trims);

/*
 * Free every frame, including retired ones, and drop the count on the base. No
 * vCPU may enter with this tree again. What processors have cached of it is
 * harmless until the root's frame becomes a root again: see the generation.
 * Then 'ept' may be passed to ept_init() or ept_clone().
 */
void ept_destroy(struct ept *ept);
/*
 * The first part of that, in pieces of 255 pages and tables, the latest ones first, for a tree that
 * owns many. What was freed is not mapped then. False: a few pages and tables are left.
 */
bool ept_free_some(struct ept *ept);

/*
 * Shorten the log by what was unmapped, before ept_reclaim(). The time is proportional to what the
 * tree owns, or has owned.
 */
void ept_trim(struct ept *ept);

/* Free retired frames. Call only when every processor has caught up with the generation. */
void ept_reclaim(struct ept *ept);
