/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of hv/vmx/invept.h: a function that the test defines. */
#pragma once

#include "hv/vmx/controls.h"

void vmx_flush_ept(const struct vmx_capability *cap, uint64_t eptp);
