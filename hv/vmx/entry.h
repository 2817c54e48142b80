/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/regs.h"

_Static_assert(offsetof(struct guest_regs, cr2) == 16 * 8, "entry.asm knows the layout");

enum vmx_result {
	VMX_EXITED,	  /* ran, and came back */
	VMX_FAIL_VALID,	  /* VMCS_INSTRUCTION_ERROR says why */
	VMX_FAIL_INVALID, /* no current VMCS */
};

/*
 * Run the guest of the current VMCS until its next VM exit. Returns like any
 * function. RIP, RSP and RFLAGS are in the VMCS, all else in 'regs'; vector
 * registers stay in the processor.
 */
enum vmx_result vmx_enter(struct guest_regs *regs, bool launched);

/* Where VM exits arrive: for VMCS_HOST_RIP only. */
extern const char vmx_exit[];
