/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/regs.h"

_Static_assert(offsetof(struct guest_regs, requests) == 16 * 8, "entry.asm knows the layout");
_Static_assert(offsetof(struct guest_regs, launched) == 16 * 8 + 4, "entry.asm knows the layout");
_Static_assert(offsetof(struct guest_regs, spec_ctrl) == 16 * 8 + 6, "entry.asm knows the layout");

/* What the guarded loop does at VM entries and exits. entry.asm has the same numbers. */
enum vmx_guard {
	GUARD_L1D_FLUSH = 1,
	GUARD_VERW = 2,
	GUARD_IBRS = 4,
	GUARD_RSB_FILL = 8,
	GUARD_RSB_ENTRY = 16,
	GUARD_BHB_CLEAR = 32,
};
extern uint32_t vmx_guards;

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
 * hv/run/exit.c: handle an exit. 'reason' is the whole field of the VMCS. Called with 'launched'
 * set, although an entry that failed late (bit 31 of the exit reason) leaves the VMCS unlaunched.
 * The plain loop jumps to vmx_exited_cpuid of hv/run/exit_cpuid.asm after CPUID.
 */
void vmx_exited(struct guest_regs *regs, uint32_t reason);

/* The target of VM exits, for VMCS_HOST_RIP only: of the plain loop, and of the guarded one. */
extern const char vmx_exit[], vmx_exit_guarded[];

/* The instruction of vmx_run() that a jump to the guarded loop replaces, and that loop. */
extern const char vmx_run_here[], vmx_run_here_end[], vmx_run_guarded[];
