/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

/*
 * A machine that says it has 64 GiB and has 128 KiB, for tests that open configurations: memory is
 * handed out front to back and what is freed is only counted. To be included once.
 */
#define FUZZ_MEMORY KIB(128)

static char fuzz_memory[FUZZ_MEMORY] __attribute__((aligned(FUZZ_MEMORY)));
static uint64_t fuzz_used, fuzz_freed; /* bytes */

static inline void fuzz_frames_reset(void)
{
	fuzz_used = fuzz_freed = 0;
}

uint64_t frame_total(void)
{
	return GIB(64) / PAGE_SIZE;
}

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	uint64_t start = align_up(fuzz_used, align);

	if (start >= FUZZ_MEMORY || n_frames > (FUZZ_MEMORY - start) / PAGE_SIZE)
		return 0;
	fuzz_used = start + n_frames * PAGE_SIZE;
	memset(fuzz_memory + start, 0x5a, n_frames * PAGE_SIZE);
	return virt_to_phys(fuzz_memory + start);
}

phys_t frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames, uint64_t align)
{
	return frame_alloc_run(n_frames, align);
}

void frame_free_run(phys_t start, uint64_t n_frames)
{
	fuzz_freed += n_frames * PAGE_SIZE;
}
