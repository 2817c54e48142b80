/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"

/*
 * SDM vol. 3, "Memory Types That Can Be Encoded With PAT"; the guest's PAT
 * still applies.
 */
enum memory_type { MEMORY_TYPE_UC = 0, MEMORY_TYPE_WB = 6 };

/*
 * The leaf bits for memory of a kind, write-back all. COW comes without EPT_W:
 * that comes with the copy.
 */
uint64_t ept_attr(enum mem_kind kind);
