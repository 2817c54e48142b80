/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Make a VM: memory, tables, devices, vCPUs. Then put the kernel into its memory, or load a saved
 * state. An error is logged with the VM's name, and leaves nothing behind.
 */
enum status vm_create(struct vm_config *config, int64_t unix_time, struct vm **ret);

/*
 * Called on the VM's first vCPU before it enters the kernel. After a reset, write kernel and tables
 * to memory again; other memory stays as it is. One call writes a piece: call again until
 * '*ret_done' is set. An error is logged, and ends the VM.
 */
enum status vm_restart(struct vm *vm, bool *ret_done);

/*
 * Apply discard-data=on to a VM that has ended, or to a template without clones, before
 * vm_release(). Clones share their template's backends, so only the configured VM discards. A
 * file's window may be large: one call zeroes a piece. No vCPU is loaded. False: all is done.
 */
bool vm_discard_some(struct vm *vm);

/*
 * Free some of the private memory and the reserve of a VM that has ended, before vm_release(), if
 * it has much. No vCPU is loaded. False: vm_release() may free the rest at once.
 */
bool vm_free_some(struct vm *vm);

/* Free all that the VM holds except its struct. No vCPU is loaded. */
void vm_release(struct vm *vm);
