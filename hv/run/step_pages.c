/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/run/step_pages.h"

void step_pages_age(struct step_pages *pages)
{
	phys_t scratch = pages->scratch[0];

	for (unsigned i = 1; i < STEP_PAGES_MAX; i++) {
		pages->scratch[i - 1] = pages->scratch[i];
		pages->gpa[i - 1] = pages->gpa[i];
		pages->old_entry[i - 1] = pages->old_entry[i];
	}
	pages->scratch[STEP_PAGES_MAX - 1] = scratch;
}
