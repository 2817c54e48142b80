/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/log.h"
#include "hv/frame/frame.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Format of an EPT entry. SDM vol. 3, "The Extended Page Table Mechanism
 * (EPT)".
 */
#define EPT_R	      BIT(0)
#define EPT_W	      BIT(1)
#define EPT_X	      BIT(2)
#define EPT_PRESENT   (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE(t)   ((uint64_t)(t) << 3)
#define EPT_TYPE_MASK BITS(6, 3) /* memory type and "ignore PAT"; leaves only */
#define EPT_LARGE     BIT(7)
#define EPT_ADDR      BITS(51, 12)
#define EPT_OWN	      BIT(52) /* ignored by the CPU: the table or page belongs to this tree */
#define EPT_MERGED    BIT(53) /* ignored by the CPU, in own tables only: a page found equal */

/*
 * Write-back, for EPT_TYPE(). The guest's PAT still applies. SDM vol. 3,
 * "Memory Types That Can Be Encoded With PAT".
 */
#define MEMORY_TYPE_WB 6

/* Four levels translate this many bits; nothing is ever mapped beyond. */
#define EPT_GPA_BITS 48
#define EPT_LEVELS   4

/* No limit, for 'max_owned'. */
#define EPT_UNLIMITED UINT64_MAX

/*
 * An immutable ancestor: the tree that was frozen. Its tables and pages live
 * until the last tree or layer above it is gone. In a frame of its own; all
 * fields constant but for the count, which is atomic. None of its entries has EPT_OWN,
 * EPT_MERGED, or EPT_W but for shared memory: a tree can run on them, and copy a table as it is.
 */
struct ept_layer {
	uint64_t n_refs;
	phys_t root;
	struct ept_layer *parent; /* what the frozen tree was cloned from; NULL: nothing */
	unsigned leaf_levels;
	uint64_t n_owned;   /* frames, tables included, without the layer's own */
	struct ept_log log; /* of what was the tree's own; EPT_LAYER_MERGED in an item */
};

/*
 * A persistent tree: it owns the tables and pages that it made itself and
 * borrows everything else from an immutable layer, from images, or from the
 * machine's zero tree. Guarded by the owning VM's lock.
 *
 * Ownership: an entry's target is the tree's own when EPT_OWN is set in it and
 * in every entry on the way there from the root, and the root is own. Of an own
 * table's entries those with EPT_OWN have R, W and X; a table entry without
 * EPT_OWN has no W; a leaf without EPT_OWN has W only if it is shared memory.
 * Own pages are 4 KiB. An own page may be sealed, without W: whoever changes it
 * by way of ept_copy() unseals it. A leaf with EPT_MERGED stands where an own
 * page was that was found equal to another one; it is borrowed, from what is
 * below the tree, or from hv/ept/merged.h, of whose counts it holds one.
 *
 * Generation: moves on when a present translation, or the root, has changed.
 * Before a processor enters the guest it must, since the last move, have loaded
 * the EPT pointer from 'root' and executed INVEPT for it. Starts at 1, so that
 * a vCPU which has seen 0 has seen nothing: the root's frame may have been
 * another tree's root before, and cached as such.
 */
struct ept {
	phys_t root;		/* frame of the level-4 table; may change with the generation */
	bool owns_root;		/* false: runs on the layer's until the first change */
	struct ept_layer *base; /* what the tree was cloned from; NULL: nothing */
	unsigned leaf_levels;	/* 1: 4K pages only, 2: also 2M, 3: also 1G */
	uint64_t generation;	/* written under the lock, with release; see above */
	uint64_t n_owned;	/* frames, tables and retired ones included */
	uint64_t max_owned;	/* ceiling; ERR_NOMEM beyond */
	phys_t retired; /* frames waiting for ept_reclaim(), chained through their first words */
	uint64_t n_retired;
	struct ept_log log; /* all entries with EPT_OWN or EPT_MERGED that others lead to, and
			       perhaps more */
	bool log_dangles;   /* it has entries of tables which are retired */
};

/*
 * Make the zero tree, three frames for the whole machine. Once at start-up,
 * when there are frames and before the first tree. ERR_NOMEM: nothing was
 * taken.
 */
enum status ept_setup(void);

/* An empty tree. ERR_NOMEM: nothing was taken. */
enum status ept_init(struct ept *ept, unsigned leaf_levels, uint64_t max_owned);

/*
 * Map [gpa, gpa+len), whole pages, to hpa with the leaf bits 'attr'
 * over whatever was there; attr = 0 unmaps, and hpa does not
 * count. Uses the largest pages that fit.
 *
 * Each page changes by a single ept_store(), so a vCPU running meanwhile sees
 * the old or the new translation, never a broken one; but a range with pages of
 * the tree's own may only be mapped over while no vCPU is in the guest: their
 * first words are the chain of retired frames.
 *
 * ERR_RANGE: beyond EPT_GPA_BITS or the widest physical address, nothing was
 * done. ERR_NOMEM: a leading part of the range may have been mapped.
 */
enum status ept_map(struct ept *ept, gpa_t gpa, phys_t hpa, uint64_t len, uint64_t attr);

/*
 * Anonymous memory: as ept_map(), but the pages read as zeros and take no
 * frames until they are written. Borrows the machine's zero tree; EPT_W in
 * 'attr' is not passed on, the memory type must be write-back.
 */
enum status ept_map_zero(struct ept *ept, gpa_t gpa, uint64_t len, uint64_t attr);

/*
 * The entry which translates gpa with the permissions that count, those on the
 * way ANDed in; EPT_OWN only if the page is the tree's own. 0: none.
 * 'ret_level' tells the size of the page (0: 4K, 1: 2M, 2: 1G), or of the hole.
 */
uint64_t ept_lookup(const struct ept *ept, gpa_t gpa, unsigned *ret_level);

/*
 * A write to private memory: give the tree its own copy of the page, mapped R,
 * W, X with the memory type it had. Returns the frame at once if there is such
 * a copy already. Must not be asked for shared memory, nor ROM.
 *
 * All other pages translate as before after every store. The generation moves
 * on, and the writer itself needs the INVEPT as well: SDM vol. 3, "Operations
 * that Invalidate Cached Mappings": the violation drops the combined mappings
 * of the one linear address only, and the guest may have read the page by
 * another.
 *
 * ERR_RANGE, ERR_NOTFOUND: nothing is mapped there. ERR_NOMEM: all translations
 * are as they were; tables which were made on the way stay, for the next
 * attempt.
 */
enum status ept_copy(struct ept *ept, gpa_t gpa, phys_t *ret_frame);

/*
 * ept_copy() with the copy's frame chosen by a policy, 'index' as in
 * frame_alloc_by(); tables come from anywhere. ERR_NOMEM also if there are
 * frames, but none that the policy allows.
 */
enum status ept_copy_by(struct ept *ept, gpa_t gpa, const struct frame_policy *policy,
			uint64_t index, phys_t *ret_frame);

/*
 * ept_copy_by() for n pages of private memory within one aligned 2 MiB, by
 * several processors at once, while no vCPU is in the guest. Begin gives the
 * pages' entries: until the end these are the caller's alone, who goes through
 * them without the VM's lock while others do the same elsewhere. Begin and end
 * need the lock, and each begin that is OK needs its end. ERR_RANGE, ERR_NOMEM,
 * ERR_NOTFOUND: as ept_copy_by(); what was filled stays.
 */
enum status ept_populate_begin(struct ept *ept, gpa_t gpa, unsigned n_pages, uint64_t **ret);
enum status ept_populate_page(uint64_t *entry, const struct frame_policy *policy, uint64_t index);
void ept_populate_end(struct ept *ept, const uint64_t *entries, unsigned n_pages);

/*
 * Merging, with the VM's lock held; vCPUs may be in the guest. Four steps: find
 * an own page, seal it, and once every processor has caught up with the
 * generation, if it is still sealed and still equals another page, give it back.
 * Its frame is free once all have caught up again.
 *
 * ept_next_own: the entry of the first own page at or above *gpa and below
 * 'end', *gpa moving to it; 0: none, or after looking at so many entries, which
 * are taken off '*budget', and *gpa moving as far. ept_seal: the page must be
 * own. ept_unseal: writable again, if it is still sealed. ept_give_back: put
 * 'leaf' (with R, X and memory type alone) in the place of the sealed page and
 * return its frame, which is the caller's then; 0: it is not that frame any
 * more, or not sealed, nothing has changed.
 */
uint64_t ept_next_own(const struct ept *ept, gpa_t *gpa, gpa_t end, unsigned *budget);
void ept_seal(struct ept *ept, gpa_t gpa);
void ept_unseal(struct ept *ept, gpa_t gpa, phys_t frame);
phys_t ept_give_back(struct ept *ept, gpa_t gpa, phys_t frame, uint64_t leaf);

/* The frame of zeros that zero memory borrows; nobody writes it. */
phys_t ept_zero_frame(void);
/* The leaf by which the layer under the tree translates gpa, as ept_lookup(); 0: there is none. */
uint64_t ept_lookup_below(const struct ept *ept, gpa_t gpa, unsigned *ret_level);

/*
 * Have all tables for copies of single pages in [gpa, gpa + len), which translate as before: from
 * then on such a copy takes a frame for itself, and at times one for the log.
 * ERR_RANGE, ERR_NOMEM: as ept_copy().
 */
enum status ept_make_tables(struct ept *ept, gpa_t gpa, uint64_t len);

/*
 * Replace one 4 KiB leaf by the raw entry given, splitting above as needed, and
 * give back the leaf that was there (0: none): gives a single instruction a
 * scratch page in place of ROM, and puts the ROM back. 'entry' is without
 * EPT_OWN. ERR_INVAL: the page there is the tree's own. ERR_RANGE, ERR_NOMEM:
 * as ept_copy().
 */
enum status ept_override(struct ept *ept, gpa_t gpa, uint64_t entry, uint64_t *ret_old);

/*
 * The tree becomes a layer, and 'ept' an unchanged clone of it, which may go
 * on. No vCPU may be in the guest, and the generation moves on. The caller gets
 * a count on the layer. ERR_NOMEM: nothing has changed.
 */
enum status ept_freeze(struct ept *ept, struct ept_layer **ret);

/* Counts on a layer; any processor, any lock. The last put gives back its frames and its count on
 * the parent. */
void ept_layer_get(struct ept_layer *layer);
void ept_layer_put(struct ept_layer *layer);

/*
 * Over what the layer's own tables and pages hold: constant as long as it lives. Bits 6:5 of each 8
 * bytes do not count: where a page holds a guest's page tables they are accessed and dirty flags,
 * which an emulator may set there although no entry of EPT allows a write (Bochs does).
 */
uint64_t ept_layer_checksum(struct ept_layer *layer);

/*
 * A tree that translates like the layer, with no private page. Takes a count on
 * the layer and no frame: it runs on the layer's root until its first change.
 */
void ept_clone(struct ept *ept, struct ept_layer *layer, uint64_t max_owned);

/*
 * Back to what was cloned; 'ept' has a base. No vCPU may be in the guest. The
 * frames are retired, the time is proportional to what the tree owns.
 */
void ept_reset(struct ept *ept);

/*
 * Give back every frame, retired ones included, and the count on the base. No
 * vCPU will enter with this tree again; what processors have cached of it is
 * harmless until the root's frame becomes a root again, see the generation.
 * 'ept' may be given to ept_init() or ept_clone() then.
 */
void ept_destroy(struct ept *ept);

/*
 * Free retired frames. Only when every processor has caught up with the
 * generation.
 */
void ept_reclaim(struct ept *ept);
