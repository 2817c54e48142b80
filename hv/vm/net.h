/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"

struct virtio;
struct vm;

/*
 * The ports of a VM's network and socket devices. A device is connected, to its hub or to the
 * machine's sockets, when its driver uses it first: a clone that does not use it takes no memory.
 * What has come for a guest is
 * no state of the VM: it is lost when the VM is frozen, cloned, reverted, saved or reset, as if the
 * cable had been out at that moment.
 */

/*
 * A device has work: connect it if it is one of these and is not connected. If its hub has no place
 * left, or another VM has its CID, which is logged, it stays so. ERR_NOMEM: the VM may not have the
 * memory for a port. The VM's lock and its devices are locked.
 */
enum status vm_net_connect(struct vm *vm, struct virtio *device);
/* Let the devices take what has come. The devices are locked. */
void vm_net_look(struct vm *vm);
/* Disconnect all devices. No vCPU of the VM runs, or it is the caller's alone. */
void vm_net_leave(struct vm *vm);

/* The address of the first network device, if there is one, is that of the VM's identity. */
void vm_net_name(struct vm *vm);
/* The devices of a clone are copies of its template's: give them their own addresses and CIDs. */
void vm_net_renew(struct vm *clone);
/*
 * The VM was loaded from a saved state: its guest tells the others on its network where it is now,
 * and drops the streams of its sockets, whose CID is that of the configuration.
 */
void vm_net_moved(struct vm *vm);
