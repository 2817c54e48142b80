/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Guest registers, numbered as in instructions, so that the register field of
 * an exit qualification is an index. While the guest runs, RSP, RIP and RFLAGS
 * are in the VMCS: gpr[RSP] is valid only where a caller says so.
 * hv/vmx/entry.asm knows this layout.
 */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

struct guest_regs {
	uint64_t gpr[16];
	uint32_t requests;  /* reasons to leave the run loop, of enum vcpu_request; atomic */
	bool launched;	    /* since the VMCS was last cleared: use VMRESUME */
	uint16_t spec_ctrl; /* the guest's IA32_SPEC_CTRL */
};
