/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/dump.h"
#include "hv/vcpu/vcpu.h"

/* The registers of a vCPU that is not loaded. */
void vcpu_dump(const struct vcpu *vcpu, struct dump_cpu *ret);
