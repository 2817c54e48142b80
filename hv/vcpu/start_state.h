/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

struct vcpu;

/* Write the state with which a kernel is entered into the current VMCS and this processor. */
void vcpu_write_start_state(struct vcpu *vcpu, const struct loader_state *start);
/* The same for a processor that was sent a SIPI: real mode, at page 'vector'. */
void vcpu_write_sipi_state(struct vcpu *vcpu, uint8_t vector);
/* Set the VMCS controls of a vCPU that is not loaded to what its saved registers need. */
void vcpu_choose_controls(struct vcpu *vcpu);
