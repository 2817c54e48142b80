/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"

/*
 * Execute one step: change registers, flags and RIP as the processor does, one
 * iteration of a repeated string instruction. 'mem_old' is the value of the
 * access that reads (its low bytes count), 0 if none does. If '*ret_writes', the
 * low bytes of '*mem_new' are to be stored; else '*mem_new' is 0. RIP moves on when the
 * instruction is complete. Flags the SDM calls undefined: AF is cleared, OF after
 * a shift by more than 1 is as the formula for 1 gives, CF after a shift by
 * more than the width is 0 (SAR: the sign), others are unchanged.
 * Not for CMPS.
 */
void insn_execute(const struct insn *insn, struct insn_regs *regs, uint64_t mem_old,
		  uint64_t *mem_new, bool *ret_writes);

/* The same for CMPS, which reads two operands and writes none: 'source' at rSI, 'other' at rDI. */
void insn_execute_cmps(const struct insn *insn, struct insn_regs *regs, uint64_t source,
		       uint64_t other);
