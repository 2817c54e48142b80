/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of trees and layers. It reads the tables as a processor does, and believes nothing
 * that the code which makes them has noted elsewhere.
 */
#include "hv/ept/audit.h"

#include <stdarg.h>

#include "hv/ept/table.h"
#include "hv/lib/print.h"

/* A table on the way through a tree: its entries translate from 'gpa' on. */
struct walk {
	struct ept_audit *audit;
	const struct ept_memory *memory;
	const struct ept *tree; /* NULL: a layer */
};

void ept_audit_fault(struct ept_audit *audit, const char *fmt, ...)
{
	char text[160];
	va_list list;

	if (audit->n_faults++ >= EPT_AUDIT_SAID)
		return;
	va_start(list, fmt);
	format_v(text, sizeof(text), fmt, list);
	va_end(list);
	audit->say(audit->name, text);
}

void ept_audit_claim(struct ept_audit *audit, phys_t frame, enum frame_use use)
{
	if (!frame_claim(&audit->uses, frame, use))
		ept_audit_fault(audit, "frame %#lx is %s and %s", frame, frame_use_name(use),
				frame_use_name(frame_use_of(&audit->uses, frame)));
}

static void check_zeros(struct ept_audit *audit, unsigned level)
{
	const uint64_t *table = table_at(ept_zero_table(level));
	phys_t below = level > 0 ? ept_zero_table(level - 1) : 0;
	uint64_t bits = level > 0 ? EPT_ADDR | EPT_W | EPT_OWN | EPT_LARGE : UINT64_MAX;

	for (unsigned i = 0; i < ENTRIES; i++)
		if ((table[i] & bits) != below)
			ept_audit_fault(audit, "word %u of zeros at level %u is %#lx", i, level,
					table[i]);
}

void ept_audit_claim_zeros(struct ept_audit *audit)
{
	for (unsigned level = 0; level < EPT_ZERO_LEVELS; level++) {
		ept_audit_claim(audit, ept_zero_table(level), FRAME_ZERO);
		check_zeros(audit, level);
	}
}

void ept_audit_check_root(struct ept_audit *audit, phys_t root, uint64_t top)
{
	const uint64_t *entry = table_at(root);

	for (unsigned i = 0; i < ENTRIES; i++)
		if (entry[i] != (i == 0 ? top : 0))
			ept_audit_fault(audit, "entry %u of a processor's root is %#lx", i,
					entry[i]);
}

static uint64_t claim_log(struct ept_audit *audit, const struct ept_log *log, enum frame_use use)
{
	uint64_t n = 0;

	for (phys_t chunk = log->chunk; chunk != 0; chunk = ept_log_chunk_before(chunk), n++)
		ept_audit_claim(audit, chunk, use);
	return n;
}

/* Claim what an entry leads to: a frame, or a block. Returns how many frames. */
static uint64_t claim_target(struct ept_audit *audit, uint64_t entry, enum frame_use use)
{
	unsigned n = n_frames_of(entry);

	for (unsigned i = 0; i < n; i++)
		ept_audit_claim(audit, (entry & EPT_ADDR) + i * PAGE_SIZE, use);
	return n;
}

/*
 * The same for an own entry and all that is below. The depth of recursion is that of the tree. An
 * entry that is large where none may be is a fault that check_own() finds.
 */
static uint64_t claim_own(struct ept_audit *audit, uint64_t own, unsigned level)
{
	uint64_t n = claim_target(audit, own, FRAME_TREE);

	for (unsigned i = 0; level > 0 && !(own & EPT_LARGE) && i < ENTRIES; i++) {
		uint64_t entry = table_of(own)[i];

		if (entry & EPT_OWN)
			n += claim_own(audit, entry, level - 1);
		audit->n_merged += (entry & EPT_MERGED) != 0;
	}
	return n;
}

void ept_audit_claim_tree(struct ept_audit *audit, const struct ept *ept)
{
	uint64_t n = claim_log(audit, &ept->log, FRAME_TREE);

	if (ept->owns_root)
		n += claim_own(audit, ept->root, EPT_LEVELS);
	else if (ept->top & EPT_OWN)
		n += claim_own(audit, ept->top, ROOT_LEVEL);
	for (uint64_t link = ept->retired; link != 0; link = *table_of(link))
		n += claim_target(audit, link, FRAME_TREE);
	if (n != ept->n_owned)
		ept_audit_fault(audit, "owns %lu frames, but counts %lu", n, ept->n_owned);
}

/* Returns how many frames the items lead to. */
static uint64_t claim_items(struct ept_audit *audit, const struct ept_layer *layer)
{
	struct ept_log log = layer->log;
	struct ept_log_cursor cursor = ept_log_begin(&log);
	uint64_t n = 0;

	for (const struct ept_log_item *item = ept_log_next(&cursor); item;
	     item = ept_log_next(&cursor)) {
		const uint64_t *slot = (const uint64_t *)(item->slot & ~EPT_LAYER_MERGED);

		if (slot == NULL)
			continue;
		if (item->slot & EPT_LAYER_MERGED) {
			audit->n_merged++;
			continue;
		}
		n += claim_target(audit, *slot, FRAME_LAYER);
	}
	return n;
}

bool ept_audit_claim_layer(struct ept_audit *audit, struct ept_layer *layer)
{
	uint64_t n = 1;

	if (!frame_claim(&audit->uses, virt_to_phys(layer), FRAME_LAYER_HEAD))
		return false;
	layer->n_found = 0;
	ept_audit_claim(audit, layer->root, FRAME_LAYER);
	n += claim_log(audit, &layer->log, FRAME_LAYER);
	n += claim_items(audit, layer);
	if (n != layer->n_owned)
		ept_audit_fault(audit, "the layer owns %lu frames, but counts %lu", n,
				layer->n_owned);
	return true;
}

static bool is_below(const struct ept *tree, gpa_t gpa, phys_t frame)
{
	unsigned level;
	uint64_t entry = ept_lookup_below(tree, gpa, &level);

	return entry != 0 && ept_frame_at(entry, level, gpa) == frame;
}

/* Whether a leaf that is not the tree's own may lead to this frame. */
static bool may_borrow(const struct walk *walk, gpa_t gpa, phys_t frame, bool writes)
{
	switch (frame_use_of(&walk->audit->uses, frame)) {
	case FRAME_IMAGE:
		return walk->memory->shows(walk->memory->context, gpa, frame, writes);
	case FRAME_LAYER:
		return !writes && (walk->tree == NULL || is_below(walk->tree, gpa, frame));
	case FRAME_ZERO:
		return !writes && frame == ept_zero_frame();
	case FRAME_MERGED:
		return !writes;
	case FRAME_SCRATCH:
		return walk->tree != NULL;
	default:
		return false;
	}
}

static void check_leaf(const struct walk *walk, gpa_t gpa, uint64_t entry, unsigned level)
{
	if ((entry & EPT_RETURNED) && (walk->tree == NULL || (entry & (EPT_MERGED | EPT_LARGE))))
		ept_audit_fault(walk->audit, "address %#lx: the returned entry %#lx", gpa.raw,
				entry);
	for (uint64_t at = 0; at < level_size(level); at += PAGE_SIZE) {
		phys_t frame = (entry & EPT_ADDR) + at;

		if (may_borrow(walk, gpa_add(gpa, at), frame, entry & EPT_W))
			continue;
		ept_audit_fault(walk->audit, "address %#lx leads to frame %#lx, which is %s%s",
				gpa.raw + at, frame,
				frame_use_name(frame_use_of(&walk->audit->uses, frame)),
				entry & EPT_W ? ", with the right to write" : "");
		return;
	}
}

static void check_table(const struct walk *walk, phys_t table, unsigned level, gpa_t gpa);

/* The rights that an own entry must have. Pages of 4 KiB may be sealed. */
static uint64_t needs_of(uint64_t entry, unsigned level)
{
	if (entry & EPT_SMALL_CODE)
		return EPT_R | EPT_W;
	return level > 0 ? EPT_PRESENT : EPT_R | EPT_X;
}

/* Whether all frames that an own entry leads to are a tree's. */
static bool are_of_trees(const struct walk *walk, uint64_t entry)
{
	for (unsigned i = 0; i < n_frames_of(entry); i++)
		if (frame_use_of(&walk->audit->uses, (entry & EPT_ADDR) + i * PAGE_SIZE) !=
		    FRAME_TREE)
			return false;
	return true;
}

static void check_own(const struct walk *walk, gpa_t gpa, uint64_t entry, unsigned level)
{
	uint64_t needs = needs_of(entry, level);
	bool is_large = entry & EPT_LARGE;

	if (walk->tree == NULL || (entry & needs) != needs || (entry & EPT_MERGED) ||
	    (is_large && (level != 1 || !is_aligned(entry & EPT_ADDR, level_size(1)))) ||
	    (!is_large && (entry & EPT_SMALL_CODE)) || !are_of_trees(walk, entry))
		ept_audit_fault(walk->audit, "address %#lx: the own entry %#lx", gpa.raw, entry);
	else if (level > 0 && !is_large)
		check_table(walk, entry & EPT_ADDR, level - 1, gpa);
}

static void check_borrowed_table(const struct walk *walk, gpa_t gpa, uint64_t entry, unsigned level)
{
	enum frame_use use = frame_use_of(&walk->audit->uses, entry & EPT_ADDR);

	if ((entry & EPT_W) || (use != FRAME_LAYER && use != FRAME_ZERO))
		ept_audit_fault(walk->audit, "address %#lx: the table %#lx, which is %s", gpa.raw,
				entry, frame_use_name(use));
	else if (walk->tree == NULL && use == FRAME_LAYER)
		check_table(walk, entry & EPT_ADDR, level - 1, gpa);
}

static void check_fresh(const struct walk *walk, gpa_t gpa, uint64_t entry)
{
	if ((entry & (EPT_PRESENT | EPT_OWN)) || (entry & EPT_ADDR) != ept_zero_frame())
		ept_audit_fault(walk->audit, "address %#lx: the fresh entry %#lx", gpa.raw, entry);
}

/* The root's entry for addresses that no processor may find; returns it as if one did. */
static uint64_t check_hidden(const struct walk *walk, gpa_t gpa, uint64_t entry)
{
	uint64_t rights = entry & EPT_OWN ? EPT_PRESENT : EPT_R | EPT_X;

	if ((entry & EPT_PRESENT) || !(entry & EPT_HIDDEN))
		ept_audit_fault(walk->audit, "address %#lx: the entry %#lx is not hidden", gpa.raw,
				entry);
	return entry | rights;
}

static void check_table(const struct walk *walk, phys_t table, unsigned level, gpa_t gpa)
{
	for (unsigned i = 0; i < ENTRIES; i++, gpa = gpa_add(gpa, level_size(level))) {
		uint64_t entry = table_at(table)[i];

		if (entry == 0)
			continue;
		if (level == ROOT_LEVEL && gpa.raw >= EPT_HIDDEN_START)
			entry = check_hidden(walk, gpa, entry);
		if (entry & EPT_FRESH)
			check_fresh(walk, gpa, entry);
		else if (entry & EPT_OWN)
			check_own(walk, gpa, entry, level);
		else if (is_table(entry, level))
			check_borrowed_table(walk, gpa, entry, level);
		else
			check_leaf(walk, gpa, entry, level);
	}
}

/* The entry that the tree has instead of the first one of that root. */
static void check_top(const struct walk *walk, phys_t root, bool may_differ)
{
	uint64_t top = walk->tree->top, entry = *table_at(root);

	if ((top & EPT_OWN) && may_differ)
		check_own(walk, (gpa_t){0}, top, ROOT_LEVEL);
	else if (top != entry)
		ept_audit_fault(walk->audit, "address 0: the root's entry %#lx, and %#lx", entry,
				top);
}

void ept_audit_check_tree(struct ept_audit *audit, const struct ept *ept,
			  const struct ept_memory *memory)
{
	const struct walk walk = {audit, memory, ept};

	if (ept->owns_root) {
		check_table(&walk, ept->root, ROOT_LEVEL, (gpa_t){0});
		check_top(&walk, ept->root, false);
	} else if (ept->base == NULL || ept->root != ept->base->root) {
		ept_audit_fault(audit,
				"the root table %#lx is neither the VM's own nor its template's: a "
				"bug of Stencil; destroy the VM, and report this line",
				ept->root);
	} else {
		check_top(&walk, ept->root, ept->base->is_narrow);
	}
}

void ept_audit_check_layer(struct ept_audit *audit, const struct ept_layer *layer,
			   const struct ept_memory *memory)
{
	const struct walk walk = {audit, memory, NULL};

	check_table(&walk, layer->root, ROOT_LEVEL, (gpa_t){0});
	if (layer->n_found != layer->n_refs)
		ept_audit_fault(audit, "the layer is used %lu times, but counts %lu",
				layer->n_found, layer->n_refs);
}
