/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Make a VM: memory, tables, devices, vCPU; then put the kernel into its memory, or give it the
 * state that was saved.
 * A failure is said with the VM's name; the VM then does not exist and holds nothing.
 */
enum status vm_create(const struct vm_config *config, int64_t unix_time, struct vm **ret);

/*
 * By the boot processor, before it begins with the kernel; if that is not the first time, what is
 * in memory for it becomes as at first, other memory stays. An error has been said, and the VM has
 * ended.
 */
enum status vm_restart(struct vm *vm);

/* Give everything back; the vCPU is not loaded. */
void vm_release(struct vm *vm);
