/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"
#include "hv/lib/status.h"

/*
 * Decode the instruction at 'bytes', of which 'n' may be read.
 * ERR_RANGE        the instruction is longer than 'n' bytes
 * ERR_INVAL        the processor would refuse it: longer than 15 bytes, or an illegal LOCK
 * ERR_UNSUPPORTED  not in the set; this includes register-only forms of the set
 */
enum status insn_decode(const uint8_t *bytes, size_t n, enum insn_mode mode, struct insn *ret);

/* Whether all that the instruction does to memory is to store what is in registers or elsewhere. */
bool insn_is_plain_store(const struct insn *insn);

/*
 * The memory operands of the next step, given the registers before it; returns how many, 0 to 2.
 *
 * One operand: ret[0]. Two: the value of ret[0] goes to insn_execute() as 'mem_old', and ret[1]
 * receives '*mem_new':
 *	MOVS	[0] read at rSI		[1] written at rDI
 *	PUSH m	[0] read		[1] written on the stack
 *	POP m	[0] read on the stack	[1] written
 *	CMPS	[0] read at rSI		[1] read at rDI: see insn_execute_cmps()
 * 0: a repeated string instruction whose count is zero; insn_execute() then only advances RIP.
 */
size_t insn_accesses(const struct insn *insn, const struct insn_regs *regs,
		     struct insn_access ret[2]);
