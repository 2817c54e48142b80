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
 * asked to call vm_identity_tell() before they run. No vCPU runs.
 */
void vm_identity_renew(struct vm *vm);

/*
 * Write the GUID to where the guest's tables say it is; make it first if the VM has none yet.
 * Without the device, do nothing. The VM's lock is held. ERR_NOMEM, ERR_RANGE: as guest_write().
 */
enum status vm_identity_write(struct vm *vm);

/*
 * Interrupt the guest, unless that is done, so that it reads the GUID, which is written now or, in
 * a clone, by vm_identity_show(). The devices and the VM's lock are held. ERR_NOMEM: no frame for
 * the page of the GUID; call again.
 */
enum status vm_identity_tell(struct vm *vm);

/*
 * Before a freeze: take the page of the GUID out of private memory, so that a clone needs none of
 * its own until its guest looks at it. What else is in the page is lost. Until then, others that
 * read a clone's memory find zeros there. No vCPU is in the guest, and the VM's lock is held.
 * ERR_NOMEM: nothing has changed.
 */
enum status vm_identity_hide(struct vm *vm);
/* Whether the page is the GUID's, so that vm_identity_show() may have to come before its use. */
static inline bool vm_identity_is_at(const struct vm *vm, gpa_t gpa)
{
	return gpa.raw / PAGE_SIZE == VMGENID_GPA / PAGE_SIZE && vm->config->has_vmgenid;
}
/*
 * The guest looks at the page, which is hidden: put it back, with the GUID. No other vCPU is in the
 * guest, because it might find the page without the GUID, and the VM's lock is held. ERR_NOMEM: it
 * is still hidden.
 */
enum status vm_identity_show(struct vm *vm);
