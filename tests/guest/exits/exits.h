/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The parts of the exits payload: one family of VM exits each. */

#include "tests/guest/lib/lib.h"

void cpuid_check(void);
void msr_check(void);
void control_check(void);
void ports_check(void);
void string_io_check(void);
void probes_check(void);
void debug_check(void);
void faults_check(void);
void stack_check(void);
void order_check(void);

/* steps.S: CPUID with these general registers, numbered as in instructions; [4], RSP, is ignored.
 */
void cpuid_registers(uint64_t regs[16]);
