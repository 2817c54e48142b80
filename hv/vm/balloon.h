/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct vm;

/*
 * A VM's balloon, hv/virtio/virtio_balloon.h, of which there is at most one, as the operator sees
 * it: by how much memory the guest has left. Except where stated, the boot processor calls, which
 * DIMMs belong to, and vms_lock is held.
 */
bool vm_has_balloon(struct vm *vm);
/* The VM's memory without what its guest says is in the balloon, in bytes. */
uint64_t vm_balloon_size(struct vm *vm);
/*
 * Ask the guest to keep so many bytes, rounded up to pages; more than it has asks for an empty
 * balloon. Of several requests that the VM has not seen, the last one counts.
 */
void vm_balloon_ask(struct vm *vm, uint64_t size);
/* Pass a request on to the device. A vCPU of the VM calls, and the devices are locked. */
void vm_balloon_look(struct vm *vm);
