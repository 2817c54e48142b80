/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/run/event.h"

/*
 * Run a loaded vCPU until the scheduler must decide: at the end of the processor's slice, whatever
 * the guest does, or earlier.
 */
enum vcpu_leave vcpu_run(struct vcpu *vcpu);
