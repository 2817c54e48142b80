/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Fill a table of 512 entries: each next one is greater by 'step'. The vector registers stay. */
void table_fill(uint64_t *table, uint64_t first, uint64_t step);
