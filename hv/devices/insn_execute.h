/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"

/*
 * Execute one step: change registers, flags and RIP as the processor does, for one iteration of a
 * repeated string instruction. 'mem_old' is the value of the access that reads (only its low bytes
 * count), or 0 if none does. If '*ret_writes', the caller stores the low bytes of '*mem_new';
 * otherwise '*mem_new' is 0. RIP advances when the instruction is complete. Flags that the SDM
 * calls undefined: AF is cleared, OF after a shift by more than 1 follows the formula for 1, CF
 * after a shift by more than the width is 0 (SAR: the sign), others do not change. Not for CMPS.
 */
void insn_execute(const struct insn *insn, struct insn_regs *regs, uint64_t mem_old,
		  uint64_t *mem_new, bool *ret_writes);

/*
 * The same for CMPS, which reads two operands and writes none: 'source' at rSI and 'other' at rDI.
 */
void insn_execute_cmps(const struct insn *insn, struct insn_regs *regs, uint64_t source,
		       uint64_t other);
