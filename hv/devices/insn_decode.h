/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"
#include "hv/lib/status.h"

/*
 * Decode the instruction at 'bytes', of which 'n' may be looked at.
 * ERR_RANGE        it is longer than 'n' bytes
 * ERR_INVAL        the processor would refuse it: longer than 15 bytes, or LOCK where it may not be
 * ERR_UNSUPPORTED  anything not in the set, register-only forms of the set among it
 */
enum status insn_decode(const uint8_t *bytes, size_t n, enum insn_mode mode, struct insn *ret);

/* Whether the operation needs the old value of a memory operand, or stores a new one. */
bool insn_reads_memory(const struct insn *insn);
bool insn_writes_memory(const struct insn *insn);

/*
 * The memory operands of the next step with the registers as before it; returns how many, 0 to 2.
 *
 * One operand: ret[0]. Two: ret[0] is the one whose value goes to insn_execute()
 * as 'mem_old' and ret[1] the one that receives '*mem_new':
 *	MOVS	[0] read at rSI		[1] written at rDI
 *	PUSH m	[0] read		[1] written on the stack
 *	POP m	[0] read on the stack	[1] written
 *	CMPS	[0] read at rSI		[1] read at rDI: see insn_execute_cmps()
 * 0: a repeated string instruction whose count is zero; insn_execute() then only moves RIP.
 */
size_t insn_accesses(const struct insn *insn, const struct insn_regs *regs,
		     struct insn_access ret[2]);
