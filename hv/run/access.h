/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn_linear.h"
#include "hv/run/operand.h"

struct vcpu;

/* The mode of the guest's code, from its EFER and the current VMCS. */
enum insn_mode access_code_mode(uint64_t efer);

/* insn_linear() with the segment that the guest has. */
enum insn_check access_linear(const struct insn_access *access, enum insn_mode mode, uint64_t cr4,
			      uint64_t *ret);

/*
 * A buffer for an operand of up to 8 bytes. Accesses of devices fill 8 bytes each, the last of
 * which may be beyond the operand.
 */
struct access_value {
	uint64_t word[2];
};

/* Read all of an operand. No lock is held. */
void access_read(struct vcpu *vcpu, const struct operand *operand, struct access_value *ret);
/*
 * Write all of an operand. False: its page was merged after operand_find(), and there is no frame
 * for it now; see stop_for_memory().
 */
bool access_write(struct vcpu *vcpu, const struct operand *operand,
		  const struct access_value *value);
