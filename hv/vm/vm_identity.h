/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Fill in struct identity in the VM's platform: what its guest can learn about itself. The VM's
 * index, name and template must be set. A GUID of the configuration is for the VM, not its clones.
 */
void vm_identity_make(struct vm *vm);

/*
 * Write the GUID to where the guest's tables say it is. Without the device, do nothing. The VM's
 * lock is held. ERR_NOMEM, ERR_RANGE: as guest_write().
 */
enum status vm_identity_write(struct vm *vm);

/*
 * Write the GUID and interrupt the guest, so that it reads the GUID. No vCPU runs. ERR_NOMEM: no
 * frame for the page of the GUID.
 */
enum status vm_identity_tell(struct vm *vm);

/* The same for a clone that was reverted, with new random numbers. */
enum status vm_identity_renew(struct vm *vm);
