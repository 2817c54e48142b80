/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vcpu/vcpu.h"

/* A scatter writes to 32 pages at most, and the processor to four of page tables for each. */
#define STEP_REUSED_MAX 160

/* All pages are in use. Forget the oldest one, and keep its scratch frame for the next page. */
void step_pages_age(struct step_pages *pages);
