/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Bit 12 of the pending debug exceptions: at least one enabled breakpoint was met. */
#define PENDING_ENABLED_BREAKPOINT BIT(12)

/*
 * The shadows of STI and MOV SS, in which no event comes before the next instruction, as VMCS
 * fields. 'blocking' is the interruptibility state.
 */

/*
 * The pending debug exceptions with which the guest may be entered before an instruction that has
 * not run: its single step is due only if a shadow has held back the one of the instruction before.
 * VM entry demands it. SDM vol. 3, "Checks on Guest Non-Register State".
 */
uint64_t shadow_pending_debug(uint64_t pending, uint64_t blocking, uint64_t rflags);

/* Whether the next VM entry delivers a debug exception, if it injects nothing. */
bool shadow_debug_is_due(uint64_t pending, uint64_t blocking);

/*
 * The window exits to request, as processor-based controls, for an NMI or an interrupt that the
 * guest cannot take now.
 */
uint32_t shadow_windows(bool nmi, bool interrupt, uint64_t blocking);
