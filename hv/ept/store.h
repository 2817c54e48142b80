/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Write an entry that a processor may be walking. No other code does. Tests
 * replace this function, to check the tables after each store.
 */
void ept_store(uint64_t *slot, uint64_t entry);
