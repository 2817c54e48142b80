/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/*
 * IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD and IA32_ARCH_CAPABILITIES of guests. Every access
 * exits, so that the value of IA32_SPEC_CTRL is known without a read of it at each exit. The vCPU
 * is loaded. False: the guest does not have the MSR, or the value is impossible.
 */
bool speculation_read_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *ret);
bool speculation_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/*
 * Prepare this processor's predictors for the loaded vCPU: its IA32_SPEC_CTRL, and nothing learnt
 * from another one if 'is_other'.
 */
void speculation_load(const struct vcpu *vcpu, struct cpu *cpu, bool is_other);
