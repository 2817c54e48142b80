/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The TSC's frequency in Hz, as a hypervisor below gives it; 0: there is none, or it does not. */
uint64_t tsc_hz_of_hypervisor(void);
