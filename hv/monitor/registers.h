/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/dump.h"
#include "hv/vcpu/vcpu.h"

/* The registers of a vCPU that is not loaded. */
void registers_read(const struct vcpu *vcpu, struct dump_cpu *ret);
/*
 * Print them as QEMU's "info registers" does, but without those of x87 and SSE, and always in the
 * layout of 64-bit mode.
 */
void registers_show(const struct vcpu *vcpu);
/* A register of a vCPU that is not loaded: of hv/lib/regs.h, or EXAMINE_RIP. */
uint64_t registers_value(const struct vcpu *vcpu, unsigned reg);
