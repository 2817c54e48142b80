/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/assert.h"
#include "hv/lib/types.h"

/*
 * Drop all translations derived from one EPT or, with another type, from all: enum flush_type.
 * 'descriptor': the EPT pointer, and 0. In line, because each revert and each first write of a
 * guest comes here.
 */
static inline void vmx_flush_ept(uint64_t type, const uint64_t (*descriptor)[2])
{
	bool ok;

	asm volatile("invept %[descriptor], %[type]"
		     : "=@cca"(ok)
		     : [descriptor] "m"(*descriptor), [type] "r"(type)
		     : "memory");
	assert(ok);
}
