/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that were decoded lately, and whether they are still the same. */
#include "hv/run/recent.h"

static bool has_same_key(const struct recent_key *a, const struct recent_key *b)
{
	return a->epoch == b->epoch && a->generation == b->generation && a->linear == b->linear &&
	       a->mode == b->mode;
}

static uint64_t word_at(const uint8_t *code)
{
	struct word {
		uint64_t value;
	} __attribute__((packed, may_alias));

	return ((const struct word *)code)->value;
}

bool recent_holds(const struct recent_insn *slot, const struct recent_key *key,
		  const struct guest_paging *paging)
{
	return has_same_key(&slot->key, key) && slot->cr0 == paging->cr0 &&
	       slot->cr3 == paging->cr3 && slot->cr4 == paging->cr4 && slot->efer == paging->efer &&
	       slot->cpl == paging->cpl && guest_walk_holds(&slot->walk) &&
	       word_at(slot->code) == slot->bytes[0] && word_at(slot->code + 8) == slot->bytes[1];
}

void recent_keep(struct recent_insn *slot, const struct recent_key *key,
		 const struct guest_paging *paging)
{
	slot->key.epoch = 0;
	if (slot->walk.n == 0 || key->linear % PAGE_SIZE > PAGE_SIZE - RECENT_BYTES)
		return;
	slot->key = *key;
	slot->cr0 = paging->cr0;
	slot->cr3 = paging->cr3;
	slot->cr4 = paging->cr4;
	slot->efer = paging->efer;
	slot->cpl = paging->cpl;
}
