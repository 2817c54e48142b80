/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/regs.h"

_Static_assert(offsetof(struct guest_regs, launched) == 16 * 8, "entry.asm knows the layout");

enum vmx_result {
	VMX_LEFT,	  /* vmx_exited() said so */
	VMX_FAIL_VALID,	  /* VMCS_INSTRUCTION_ERROR says why */
	VMX_FAIL_INVALID, /* no current VMCS */
};

/*
 * Run the guest of the current VMCS: enter, call vmx_exited() after each exit,
 * and enter again while that returns true. RIP, RSP and RFLAGS are in the VMCS, the
 * other general registers in 'regs'; CR2, debug and vector registers stay in the processor.
 */
enum vmx_result vmx_run(struct guest_regs *regs);

/*
 * hv/vcpu.c: what to do about an exit. Called with 'launched' set, although an
 * entry that failed late (bit 31 of the exit reason) leaves the VMCS unlaunched.
 */
bool vmx_exited(struct guest_regs *regs);

/* Where VM exits arrive: for VMCS_HOST_RIP only. */
extern const char vmx_exit[];
