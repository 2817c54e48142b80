/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* In the place of hv/frame/phys.h for proofs: wherever a frame is, it is 4 KiB of anything. */
#include "hv/lib/types.h"

void *phys_to_virt(phys_t phys);
phys_t virt_to_phys(const void *virt);
