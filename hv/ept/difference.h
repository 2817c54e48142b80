/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"

/*
 * Find the next page in ['gpa', 'end') that the tree and the one with the root 'below' translate
 * to different frames; 'below' 0: that the tree does not translate to the machine's zeros. Tables
 * that both share are passed over at once, so the time depends on how much differs. Looks at about
 * '*budget' entries, which decreases. Returns 'end' if no page differs. If '*budget' is 0 then,
 * returns where to continue, which need not differ. Neither tree changes meanwhile.
 */
gpa_t ept_next_difference(const struct ept *tree, phys_t below, gpa_t gpa, gpa_t end,
			  unsigned *budget);
