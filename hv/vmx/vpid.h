/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Virtual-processor identifiers, which separate the vCPUs' translations in a processor. There are
 * 65535. When all are allocated, further vCPUs share VPID_SHARED, and a processor flushes its
 * translations at each load. Any processor; the functions take a lock of their own, a leaf.
 *
 * The owner of a new VPID must flush it on each processor before its first use there.
 */
#define VPID_SHARED 1 /* never the VPID of one vCPU alone; 0 is the host's */

uint16_t vpid_alloc(void);
void vpid_free(uint16_t vpid);
