/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <sys/mman.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"

/*
 * A machine with so much free memory from 1 TiB on, for tests whose files are below that. Its
 * pages are there when they are touched.
 */
#define MACHINE_FRAMES_START (UINT64_C(1) << 40)

static inline void machine_frames_add(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	phys_offset = (uintptr_t)memory - MACHINE_FRAMES_START;
	frame_reset();
	frame_add_range(MACHINE_FRAMES_START, size);
}
