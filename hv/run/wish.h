/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vcpu/vcpu.h"

/*
 * Perform what the guest asked for with a write to a device. 'wish' is a set of enum device_wish.
 * The devices are locked; the VM's lock is not held.
 */
void wish_grant(struct vcpu *vcpu, uint32_t wish);
