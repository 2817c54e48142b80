/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/dump.h"
#include "hv/vcpu/vcpu.h"

/* The registers of a vCPU that is not loaded. */
void registers_read(const struct vcpu *vcpu, struct dump_cpu *ret);
/*
 * Print them as QEMU's "info registers" does, without those of x87 and SSE. The layout is that of
 * 64-bit mode in any mode.
 */
void registers_show(const struct vcpu *vcpu);
