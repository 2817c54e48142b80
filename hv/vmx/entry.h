/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/regs.h"

_Static_assert(offsetof(struct guest_regs, requests) == 16 * 8, "entry.asm knows the layout");
_Static_assert(offsetof(struct guest_regs, launched) == 16 * 8 + 4, "entry.asm knows the layout");

enum vmx_result {
	VMX_LEFT,	  /* there are requests */
	VMX_FAIL_VALID,	  /* VMCS_INSTRUCTION_ERROR has the reason */
	VMX_FAIL_INVALID, /* no current VMCS */
};

/*
 * Run the guest of the current VMCS: enter, call vmx_exited() after each exit,
 * and enter again while there are no requests. RIP, RSP and RFLAGS are in the VMCS, the
 * other general registers in 'regs'; CR2, debug and vector registers stay in the processor.
 */
enum vmx_result vmx_run(struct guest_regs *regs);

/*
 * hv/run/exit.c: handle an exit. Called with 'launched' set, although an
 * entry that failed late (bit 31 of the exit reason) leaves the VMCS unlaunched.
 */
void vmx_exited(struct guest_regs *regs);

/* The target of VM exits, for VMCS_HOST_RIP only. */
extern const char vmx_exit[];
