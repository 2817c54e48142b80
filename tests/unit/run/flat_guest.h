/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/run/access.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

/*
 * A guest in 64-bit mode for tests of what emulates its instructions, on the array of
 * tests/unit/run/vmcs/: offsets are linear addresses, and nothing looks at its page tables.
 */
uint64_t test_vmcs[TEST_VMCS_FIELDS];

enum insn_mode access_code_mode(uint64_t efer)
{
	return INSN_64;
}

enum insn_check access_linear(const struct insn_access *access, enum insn_mode mode, uint64_t cr4,
			      uint64_t *ret)
{
	*ret = access->offset;
	return INSN_ALLOWED;
}

void vcpu_read_paging(struct guest_memory *memory, struct guest_paging *ret)
{
}

void vcpu_owe_single_step(void)
{
	if (test_vmcs[VMCS_GUEST_RFLAGS] & RFLAGS_TF)
		test_vmcs[VMCS_GUEST_PENDING_DEBUG] |= PENDING_BS;
}
