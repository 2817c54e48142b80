/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The behaviour of a memory region under every form of access.
 *
 * base= size=        guest-physical window, multiples of 4 KiB; size at least 64 KiB
 * expect=rom|cow|shared|absent    absent: no memory is there, and the bus reads as ones
 * data=pattern|zero|any  what the image holds (pattern); offset= of the window in the image
 * work= span=        the part of the window this VM may write (all but the last page)
 * mark= peer= wait=  leave 'mark', look for another VM's 'peer': see marks.c
 * tables=            offset of page tables prepared in the image: see tables.c
 * nmi                send NMIs too: in Bochs only to a VM that is alone. Bochs 2.7 forgets to
 *                    end the blocking of NMIs when it enters a VM that does not block them
 * untraced           no single steps by RFLAGS.TF over stores to the region: see exec.c
 * only=              run the forms whose text contains this word
 */
#include "tests/guest/region/region.h"

struct region region;

static bool read_expect(void)
{
	if (param_is("expect", "rom"))
		region.expect = EXPECT_ROM;
	else if (param_is("expect", "cow"))
		region.expect = EXPECT_COW;
	else if (param_is("expect", "shared"))
		region.expect = EXPECT_SHARED;
	else if (param_is("expect", "absent"))
		region.expect = EXPECT_ABSENT;
	else
		return false;
	if (param_is("data", "zero"))
		region.data = DATA_ZERO;
	else if (param_is("data", "any"))
		region.data = DATA_ANY;
	return true;
}

void payload(void)
{
	region.base = param_number("base", 0);
	region.size = param_number("size", 0);
	region.offset = param_number("offset", 0);
	region.marks = region.size - PAGE_SIZE;
	region.work = param_number("work", 0);
	region.span = param_number("span", region.marks - region.work);
	if (!read_expect() || region.base == 0 || region.size < 16 * PAGE_SIZE ||
	    region.work + region.span > region.size) {
		report(false, "parameters: base=, size=, expect=rom|cow|shared|absent");
		return;
	}
	xsave_enable();
	if (region.expect == EXPECT_ABSENT) {
		steps_check();
		forms_check();
		return;
	}
	content_check("at the start");
	exec_check();
	tables_check();
	steps_check();
	forms_check();
	if (region.expect == EXPECT_ROM)
		content_check("at the end");
	marks_check();
}
