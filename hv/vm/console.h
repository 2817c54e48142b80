/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct console_piece;
struct virtio;
struct vm;

/*
 * The ports of a VM's virtio-serial devices. Of a VM whose COM1 is not the operator's, one port may
 * be instead, as hv/config/vm_console.c has chosen: its lines are the VM's, and typed bytes go to
 * it. Lines of other ports have their label, and those that come by a socket "vsock". The devices
 * are locked.
 */

/* Before virtio_serve(): what the device may take. */
void vm_console_begin(struct vm *vm, const struct virtio *device, struct console_piece *piece);
/* After it: show what the device has sent, and, with 'is_taken', drop what it has taken. */
void vm_console_end(struct vm *vm, const struct virtio *device, const struct console_piece *piece,
		    bool is_taken);
/* After a guest's write to a device: show an emergency write. */
void vm_console_note(struct vm *vm);
/* Bytes were typed, or output is held no longer. Whether devices have work then. */
bool vm_console_look(struct vm *vm);
