/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Guest registers, numbered as instructions number them, so that a register
 * field of an exit qualification is an index. While the guest runs RSP, RIP and
 * RFLAGS live in the VMCS: gpr[RSP] is only valid where a caller says it filled it.
 * hv/vmx/entry.asm knows this layout.
 */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

struct guest_regs {
	uint64_t gpr[16];
	uint32_t requests; /* reasons to leave the run loop, atomic; enum vcpu_request */
	bool launched;	   /* the VMCS has been, since it was last cleared: VMRESUME is due */
};
