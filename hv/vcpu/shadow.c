/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM entry and window exits demand in the shadows of STI and MOV SS. Pure. */
#include "hv/vcpu/shadow.h"

#include "hv/vcpu/vcpu.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/exit_reason.h"

uint64_t shadow_pending_debug(uint64_t pending, uint64_t blocking, uint64_t rflags)
{
	bool held_back = (blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) && (rflags & RFLAGS_TF);

	return held_back ? pending | PENDING_BS : pending & ~PENDING_BS;
}

bool shadow_debug_is_due(uint64_t pending, uint64_t blocking)
{
	return pending & (PENDING_BS | PENDING_ENABLED_BREAKPOINT) && !(blocking & BLOCKING_MOV_SS);
}

/*
 * An NMI-window exit need not wait for the end of STI's shadow, and would come before every entry's
 * first instruction. An interrupt window does wait, and opens then: STI has set RFLAGS.IF.
 */
uint32_t shadow_windows(bool nmi, bool interrupt, uint64_t blocking)
{
	bool after_sti = nmi && (blocking & BLOCKING_STI);

	return (interrupt || after_sti ? PROC_INTERRUPT_WINDOW : 0) |
	       (nmi && !after_sti ? PROC_NMI_WINDOW : 0);
}
