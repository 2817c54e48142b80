/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of hv/vmx/vmcs.h, for tests of files that read and write the VMCS: an array is the VMCS.
 */
#pragma once

#include "hv/vmx/controls.h"
#include "hv/vmx/guest_fields.h"
#include "hv/vmx/vmcs_field.h"

enum { TEST_VMCS_FIELDS = 0x8000 };
extern uint64_t test_vmcs[TEST_VMCS_FIELDS]; /* by the encoding of the field */

static inline uint64_t vmcs_read(enum vmcs_field field)
{
	return test_vmcs[field];
}

static inline uint64_t vmcs_read_next(enum vmcs_field field)
{
	return test_vmcs[field];
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	test_vmcs[field] = value;
}

static inline void vmcs_write_next(enum vmcs_field field, uint64_t value)
{
	test_vmcs[field] = value;
}
