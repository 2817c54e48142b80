/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another VM sees. mark=VALUE writes VALUE to a place of its own in the last page.
 * peer=VALUE watches the other VM's place for at most wait= ticks: in a shared region the
 * value must appear, in ROM and COW the image's bytes must stay.
 */
#include "tests/guest/region/region.h"

#define WAIT_SHARED (UINT64_C(20) * WAIT_TICKS)
#define WAIT_OTHERS (WAIT_TICKS / 8)

static uint64_t slot(uint64_t value)
{
	return region.marks + value % 512 * 8;
}

static void leave_mark(uint64_t mark)
{
	uint64_t old = *region_word(slot(mark));
	uint64_t new = region.expect == EXPECT_ROM ? old : mark;

	*region_word(slot(mark)) = mark;
	report(*region_word(slot(mark)) == new, "mark: %#lx written, %#lx found", mark,
	       *region_word(slot(mark)));
}

void marks_check(void)
{
	uint64_t mark = param_number("mark", 0);
	uint64_t peer = param_number("peer", 0);
	bool shared = region.expect == EXPECT_SHARED;
	uint64_t wait = param_number("wait", shared ? WAIT_SHARED : WAIT_OTHERS);
	uint64_t start = rdtsc();

	if (mark != 0)
		leave_mark(mark);
	if (peer == 0)
		return;
	while (*region_word(slot(peer)) != peer && rdtsc() - start < wait)
		cpu_pause();
	report(*region_word(slot(peer)) == (shared ? peer : region_image(slot(peer))),
	       "peer: %#lx in the place of %#lx", *region_word(slot(peer)), peer);
}
