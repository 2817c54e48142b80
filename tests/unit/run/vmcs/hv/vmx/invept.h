/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of hv/vmx/invept.h: a function that the test defines. */
#pragma once

#include "hv/lib/types.h"

void vmx_flush_ept(uint64_t type, const uint64_t (*descriptor)[2]);
