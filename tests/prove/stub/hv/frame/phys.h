/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Replaces hv/frame/phys.h in proofs: each frame is 4 KiB of arbitrary contents. */
#include "hv/lib/types.h"

void *phys_to_virt(phys_t phys);
phys_t virt_to_phys(const void *virt);
