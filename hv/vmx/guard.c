/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes the entry code and the thunks of indirect branches as the policy says. They are changed
 * once at start: a test at each entry would cost those processors that need nothing.
 */
#include "hv/vmx/guard.h"

#include "hv/host/patch.h"
#include "hv/lib/assert.h"
#include "hv/vmx/entry.h"

/* hv/lib/thunk.asm */
extern const char indirect_thunks[], indirect_thunks_end[], retpolines[];

enum { JMP_REL32 = 0xe9 };

static void guard_entries(uint32_t guards)
{
	struct __attribute__((packed)) {
		uint8_t opcode;
		int32_t offset;
	} jump = {JMP_REL32, (int32_t)((uintptr_t)vmx_run_guarded - (uintptr_t)vmx_run_here_end)};

	assert((uintptr_t)vmx_run_here_end - (uintptr_t)vmx_run_here == sizeof(jump));
	vmx_guards = guards;
	patch_code(vmx_run_here, &jump, sizeof(jump));
}

void vmx_guard(const struct policy *policy)
{
	static const struct {
		enum measure measure;
		enum vmx_guard guard;
	} map[] = {
		{MEASURE_L1D_FLUSH, GUARD_L1D_FLUSH}, {MEASURE_VERW, GUARD_VERW},
		{MEASURE_IBRS, GUARD_IBRS},	      {MEASURE_RSB_FILL, GUARD_RSB_FILL},
		{MEASURE_RSB_ENTRY, GUARD_RSB_ENTRY}, {MEASURE_BHB_CLEAR, GUARD_BHB_CLEAR},
	};
	uint32_t guards = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (policy->measures & map[i].measure)
			guards |= map[i].guard;
	if (guards)
		guard_entries(guards);
	if (policy->measures & MEASURE_RETPOLINE)
		patch_code(indirect_thunks, retpolines,
			   (uintptr_t)indirect_thunks_end - (uintptr_t)indirect_thunks);
}
