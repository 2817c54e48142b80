/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/* No VM of this test lacks vCPUs. */
void vm_make_others([[maybe_unused]] struct vm *vm)
{
	__builtin_trap();
}
