/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/merge_scan.h"
#include "hv/vm/vm.h"

/* What hv/vm/hotplug.c asks of the search for equal pages, which is off. */
void vm_merge_pause(struct vm *vm)
{
	vm->merge_paused = true;
}
