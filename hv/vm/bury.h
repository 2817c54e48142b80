/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Frees the templates without holds (hv/vm/hold.h), in pieces. No lock is held. */

/*
 * Free about n frames. After the last one of a template start the clones that have waited for
 * memory. Any processor; one at a time. False: there was nothing to do, or another processor does
 * it.
 */
bool template_bury(unsigned n);
/* Free all of them at once, after the last VM has ended. */
void template_bury_all(void);
