/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/debug.h"

/* What a debugged VM's vCPU does at its exits. It is loaded, and vm_is_debugged(). */

/* #BP. False: the guest's own. */
bool debug_takes_breakpoint(struct vcpu *vcpu);
/*
 * #DB: take the debugger's breakpoints from the exit qualification. True: nothing is left for the
 * guest.
 */
bool debug_takes_debug_exception(struct vcpu *vcpu, uint64_t *qual);

/* In a step, before each entry: stop if it has come to its end. */
void debug_look(struct vcpu *vcpu);

/* The vCPU's registers were written as after power-on or a SIPI: set what the debugger wants. */
void debug_start(struct vcpu *vcpu);
