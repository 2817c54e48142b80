/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/assert.h"
#include "hv/vmx/controls.h"

/* SDM vol. 3, "INVEPT" and "INVVPID". */
enum flush_type { FLUSH_SINGLE = 1, FLUSH_ALL = 2 };

struct flush_descriptor {
	uint64_t what[2];
};

/*
 * Drop all translations derived from one EPT, or from all if the processor offers only that. In
 * line, because each revert and each first write of a guest comes here.
 */
static inline void vmx_flush_ept(const struct vmx_capability *cap, uint64_t eptp)
{
	struct flush_descriptor descriptor = {{eptp, 0}};
	uint64_t type = cap->ept_vpid & EPT_CAP_INVEPT_SINGLE ? FLUSH_SINGLE : FLUSH_ALL;
	bool ok;

	asm volatile("invept %[descriptor], %[type]"
		     : "=@cca"(ok)
		     : [descriptor] "m"(descriptor), [type] "r"(type)
		     : "memory");
	assert(ok);
}
