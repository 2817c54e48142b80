/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vmx/controls.h"

/* Fill vcpu_shared from this processor, for which vmx_missing() returned NULL. ERR_NOMEM. */
enum status vcpu_setup(const struct vmx_capability *capability);
