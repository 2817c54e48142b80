/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Which I/O breakpoints (bits B0 to B3) an access to [port, port + size) triggers, by the guest's
 * DR7 and DR0 to DR3. CR4.DE must be set. SDM vol. 3, "Debug Control Register (DR7)".
 */
unsigned breakpoint_match_port(uint64_t dr7, const uint64_t dr[4], uint16_t port, unsigned size);
