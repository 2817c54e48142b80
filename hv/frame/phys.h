/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Physical memory is mapped at one fixed offset: zero on the machine, the base
 * of an arena in the unit tests, which define the variable.
 */
#if __STDC_HOSTED__
extern uintptr_t phys_offset;
#else
static const uintptr_t phys_offset = 0;
#endif

static inline void *phys_to_virt(phys_t phys)
{
	return (void *)(phys + phys_offset);
}

static inline phys_t virt_to_phys(const void *virt)
{
	return (uintptr_t)virt - phys_offset;
}

#define FRAME_BLOCK 512 /* frames of a large page */
