/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Who a VM is, as its guest may know it: struct identity in its platform. Its index, name and
 * template are there before; a GUID that the configuration has is for the VM itself, not its
 * clones.
 */
void vm_identity_make(struct vm *vm);

/*
 * Put the GUID where the guest's tables say it is; nothing to do without the device. The VM's lock
 * is held. ERR_NOMEM, ERR_RANGE: as guest_write().
 */
enum status vm_identity_write(struct vm *vm);

/*
 * The guest of a clone, which does not run at the moment, is to find its GUID and to hear of that.
 * ERR_NOMEM: no frame for the page of the GUID.
 */
enum status vm_identity_tell(struct vm *vm);

/* The same with other random numbers: for one that has become again what its template was. */
enum status vm_identity_renew(struct vm *vm);
