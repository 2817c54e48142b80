/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Fill the memory of the VM's backends with prealloc=on. The regions are mapped, and no vCPU has
 * run. ERR_NOMEM is logged in QEMU's words, and leaves memory filled so far.
 */
enum status vm_prealloc(struct vm *vm);

/* On the other processors: help to fill, until vm_prealloc_end(). */
void vm_prealloc_serve(const struct cpu *cpu);
/* After the last VM was made. */
void vm_prealloc_end(void);
