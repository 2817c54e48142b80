/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/run/operand.h"
#include "hv/run/recent.h"

struct vcpu;

/* The instruction at RIP, which exited for an EPT violation. */
struct emulation {
	struct operand_space space;
	const struct insn *insn; /* valid until another instruction is decoded on this processor */
};

/*
 * Fetch and decode the instruction at RIP. 'is_memory': there is memory where the exit was. Errors
 * are those of insn_decode() and of guest_translate(). No lock is held.
 */
enum status emulate_decode(struct vcpu *vcpu, bool is_memory, struct emulation *ret);

/*
 * Execute the decoded instruction, or some iterations of a string instruction, with device accesses
 * in place of memory accesses where there is no memory. Afterwards the guest can be entered: the
 * registers have changed, or a fault is pending, or the VM has stopped or ended. False: nothing was
 * done, and the instruction needs a step (hv/run/step.c): the exit was in memory, which is ROM, and
 * it stores elsewhere too. No lock is held.
 */
bool emulate_run(struct vcpu *vcpu, struct emulation *emulation);
