/* SPDX-License-Identifier: BSD-2-Clause */
/* In front of hv/vmx/vmcs.h: an array is the VMCS. */
#pragma once

#define vmcs_read	real_vmcs_read
#define vmcs_read_next	real_vmcs_read_next
#define vmcs_read_safe	real_vmcs_read_safe
#define vmcs_write	real_vmcs_write
#define vmcs_write_next real_vmcs_write_next
#include_next "hv/vmx/vmcs.h"
#undef vmcs_read
#undef vmcs_read_next
#undef vmcs_read_safe
#undef vmcs_write
#undef vmcs_write_next

#include "tests/fuzz/machine/machine.h"

static inline uint64_t vmcs_read(enum vmcs_field field)
{
	return machine.vmcs[field];
}

static inline uint64_t vmcs_read_next(enum vmcs_field field)
{
	return machine.vmcs[field];
}

static inline bool vmcs_read_safe(enum vmcs_field field, uint64_t *ret)
{
	*ret = machine.vmcs[field];
	return true;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	machine.vmcs[field] = value;
}

static inline void vmcs_write_next(enum vmcs_field field, uint64_t value)
{
	machine.vmcs[field] = value;
}
