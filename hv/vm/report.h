/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/print.h"

struct vcpu;

/* Log the registers of the guest whose VMCS is current. */
void vcpu_report_registers(const struct vcpu *vcpu, enum log_level level);
