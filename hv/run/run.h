/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/run/event.h"

struct vcpu;

/* Run a loaded vCPU until the scheduler must decide. 'slice_end' (host TSC) ends its turn. */
enum vcpu_leave vcpu_run(struct vcpu *vcpu, uint64_t slice_end);
