/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Give a VM that is made from a saved state the memory that its state needs: of another template,
 * and from the state's files. Errors are logged with the VM's name.
 */

/*
 * Find the template of this run whose memory the VM's begins as, hold it, and return the layer that
 * it is: vm->mem is laid out like its own. NULL with OK: the VM's memory is whole. ERR_NOTFOUND:
 * the template is missing. ERR_INVAL: its memory is laid out otherwise.
 */
enum status load_hold_below(const struct vm *vm, struct ept_layer **ret);
/* Read the files into the VM's private memory. After an error the VM can only be destroyed. */
enum status load_memory(struct vm *vm);
