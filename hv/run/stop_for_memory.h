/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/*
 * There is no frame for the page at gpa, which the current instruction needs. The instruction has
 * not run: stop the VM, so that it can be tried again when there is a frame, or end the VM. Other
 * VMs keep their memory. The VM's lock is held.
 */
void stop_for_memory(struct vcpu *vcpu, gpa_t gpa);

/*
 * The same before a clone's vCPU is loaded for the first time: no frame is left for its XSAVE
 * area. It is loaded nowhere, and no lock is held.
 */
void stop_for_registers(struct vcpu *vcpu);
