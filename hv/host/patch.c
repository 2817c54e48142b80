/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes code of the image at start, so that what a processor does not need costs nothing. */
#include "hv/host/patch.h"

#include "hv/frame/phys.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/lib/string.h"

void patch_code(const void *at, const void *bytes, size_t len)
{
	phys_t at_phys = virt_to_phys(at), first = align_down(at_phys, PAGE_SIZE);
	uint64_t n = align_up(at_phys + len, PAGE_SIZE) - first;

	if (paging_protect(first, n, true) != OK)
		panic("no memory to change code");
	memcpy(phys_to_virt(at_phys), bytes, len);
	/* Also serializes: a load of CR3. */
	if (paging_protect(first, n, false) != OK)
		panic("no memory to protect changed code");
}
