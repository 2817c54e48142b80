/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vmx/processors.h"

/* Fill vcpu_shared with what the chosen processors have in common. ERR_NOMEM. */
enum status vcpu_setup(const struct processor_report *common);
