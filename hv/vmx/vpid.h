/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/cpu.h"
#include "hv/lib/types.h"

/*
 * Virtual-processor identifiers, which separate the vCPUs' translations in a processor. Each
 * processor gives a vCPU that comes to it a VPID that is new there, so that nothing must be
 * flushed. When it has given all 65535, it flushes the translations of all of them and starts a new
 * round: then the VPIDs of earlier rounds mean nothing any more. Not locked: only the processor
 * itself calls these functions.
 */
struct vpid {
	uint32_t round; /* 0: none */
	uint16_t number;
};

/* Whether the processor gave this VPID, and has not started another round since. */
static inline bool vpid_is_valid(const struct vpid_source *source, struct vpid vpid)
{
	return vpid.round == source->round;
}

/*
 * Give a VPID that no vCPU has here. True: a round begins; flush all VPIDs before the next VM
 * entry. The first call begins the first round: the processor's last user may have left
 * translations.
 */
static inline bool vpid_give(struct vpid_source *source, struct vpid *ret)
{
	bool begins = source->n_left == 0;

	if (begins) {
		source->round++;
		source->n_left = UINT16_MAX; /* 0 is the host's */
	}
	*ret = (struct vpid){source->round, source->n_left--};
	return begins;
}
