/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"

struct vcpu;

/* The work of virtio devices: the vCPU whose driver has notified does it before it continues. */

/* After a write returned WISH_VIRTIO. The devices are locked. */
void virtio_note(struct vcpu *vcpu);
/*
 * Do a piece of what is to be done. No lock is held. ERR_NOTFOUND: there is nothing. ERR_NOMEM:
 * there is no frame for it, and the VM was stopped for that, see hv/run/stop_for_memory.h.
 */
enum status virtio_work_some(struct vcpu *vcpu);
