/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

struct vcpu;

/* Put the guest state a kernel is entered with into the current VMCS. */
void vcpu_write_start_state(struct vcpu *vcpu, const struct loader_state *start);
/* The same for a processor that was sent a SIPI: real mode, at page 'vector'. */
void vcpu_write_sipi_state(struct vcpu *vcpu, uint8_t vector);
/* Of a vCPU that is not loaded: what VM entry does for it, by its registers of now. */
void vcpu_choose_controls(struct vcpu *vcpu);
