/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"

/*
 * host -protect all: what no VM may write after a freeze, the hypervisor itself cannot write
 * either. A stray store is a panic at once, instead of a wrong byte in all clones.
 */

/* Once, before the first VM starts. */
void protect_begin(void);
/* Whether it was called. */
bool protect_is_on(void);

/*
 * Make about n frames of a layer read-only, which is made just now. Takes the paging lock for each
 * frame. False: all are, or the option is not on.
 */
bool protect_some(struct ept_layer *layer, unsigned n);

/*
 * Make about n frames of a layer writable, which has no other user and will be freed. True: all
 * are, on all processors. One layer at a time; no lock is held.
 */
bool protect_lift(struct ept_layer *layer, unsigned n);
