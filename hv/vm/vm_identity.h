/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Fill in struct identity in the VM's platform: what its guest can learn about itself. The VM's
 * index, name and template must be set. A GUID of the configuration is for the VM, not its clones.
 */
void vm_identity_make(struct vm *vm);

/*
 * The VM is another one from now on, with other random numbers. With the device, its vCPUs are
 * asked to call vm_identity_tell() before they run: until then the guest's memory has the old GUID,
 * and a clone that never runs needs no page for one. No vCPU runs.
 */
void vm_identity_renew(struct vm *vm);

/*
 * Write the GUID to where the guest's tables say it is; make it first if the VM has none yet.
 * Without the device, do nothing. The VM's lock is held. ERR_NOMEM, ERR_RANGE: as guest_write().
 */
enum status vm_identity_write(struct vm *vm);

/*
 * Write the GUID, if that is still to be done, and interrupt the guest, so that it reads the GUID.
 * The devices and the VM's lock are held. ERR_NOMEM: no frame for the page of the GUID; call again.
 */
enum status vm_identity_tell(struct vm *vm);
