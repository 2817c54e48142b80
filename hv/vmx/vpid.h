/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Virtual-processor identifiers, which tell the vCPUs' translations apart in a
 * processor. There are 65535; a vCPU that comes when all are taken shares one with others of the
 * kind, and its processor forgets that one's translations at each load. Any processor; the
 * functions take a lock of their own, a leaf.
 *
 * Who gets a VPID has to flush it on each processor before its first use there.
 */
#define VPID_SHARED 1 /* never given to one vCPU alone; 0 is the host's */

uint16_t vpid_alloc(void);
void vpid_free(uint16_t vpid);
