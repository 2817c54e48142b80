/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of VM-instruction errors that VMLAUNCH, VMRESUME, VMREAD and VMWRITE can give. */
#include "hv/vmx/instruction_error.h"

#include "hv/lib/types.h"

const char *vmx_instruction_error(unsigned number)
{
	static const char *const names[] = {
		[4] = "VMLAUNCH with non-clear VMCS", [5] = "VMRESUME with non-launched VMCS",
		[7] = "invalid control fields",	      [8] = "invalid host-state fields",
		[12] = "unsupported VMCS component",  [13] = "VMWRITE to read-only VMCS component",
		[26] = "events blocked by MOV SS",
	};

	return number < ARRAY_SIZE(names) && names[number] != NULL ? names[number] : "unknown";
}
