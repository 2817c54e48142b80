/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Give a VM that was just made the state in its configuration's file. 'model' becomes what its
 * vCPUs are told about their processor, and lives as long as it and its clones. A VM, but no
 * template, gets a new identity. ERR_*: said.
 */
enum status vm_load_state(struct vm *vm, struct cpuid_model *model);
