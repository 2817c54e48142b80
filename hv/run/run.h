/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/run/event.h"
#include "hv/vcpu/vcpu.h"

/*
 * Run a loaded vCPU until the scheduler must decide. Whatever the guest does, its exits end with
 * the slice, except for the one that is being handled.
 */
enum vcpu_leave vcpu_run(struct vcpu *vcpu, struct vcpu_slice slice);
