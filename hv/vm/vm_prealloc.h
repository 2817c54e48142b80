/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Fill the memory of a VM whose backends say so; its regions are mapped, no vCPU
 * has run. ERR_NOMEM has been said in QEMU's words; nothing is given back.
 */
enum status vm_prealloc(struct vm *vm);

/* By the other processors until vm_prealloc_end(): help. */
void vm_prealloc_serve(const struct cpu *cpu);
/* All VMs have been made. */
void vm_prealloc_end(void);
