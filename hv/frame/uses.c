/* SPDX-License-Identifier: BSD-2-Clause */
/* What frames are used for. Knows nothing of who uses them. */
#include "hv/frame/uses.h"

bool frame_claim(struct frame_uses *uses, phys_t frame, enum frame_use use)
{
	uint64_t i = frame / PAGE_SIZE;

	if (i >= uses->n || uses->use[i] != FRAME_OTHER)
		return false;
	uses->use[i] = (uint8_t)use;
	return true;
}

enum frame_use frame_use_of(const struct frame_uses *uses, phys_t frame)
{
	uint64_t i = frame / PAGE_SIZE;

	return i < uses->n ? (enum frame_use)uses->use[i] : FRAME_OTHER;
}

const char *frame_use_name(enum frame_use use)
{
	static const char *const names[N_FRAME_USES] = {
		[FRAME_OTHER] = "the hypervisor's own",
		[FRAME_FREE] = "free",
		[FRAME_IMAGE] = "an image's",
		[FRAME_ZERO] = "zeros",
		[FRAME_MERGED] = "a merged page",
		[FRAME_LAYER] = "a template's",
		[FRAME_LAYER_HEAD] = "a template's record",
		[FRAME_TREE] = "a VM's memory",
		[FRAME_SCRATCH] = "a scratch page",
		[FRAME_RESERVED] = "reserved",
		[FRAME_OF_VM] = "a VM's registers",
	};

	return names[use];
}
