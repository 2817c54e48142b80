/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The processor that hosted files of the machine run on. Headers of this folder stand in front of
 * those of hv/ with the same names, and put accesses to this struct in the place of instructions
 * that only ring 0 or VMX root may execute. Time passes by what is executed: the compiler reports
 * each basic block (tests/fuzz/CMakeLists.txt).
 */
struct machine {
	uint64_t tsc;
	unsigned n_blocks;     /* since the last tick */
	uint64_t vmcs[0x8000]; /* by the encoding of the field */
	uint64_t cr2, dr6, dr[4];
};
extern struct machine machine;
