/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"

/* A segment register as the VMCS has it. SDM vol. 3, "Format of Access Rights". */
struct insn_segment_state {
	uint64_t base;
	uint32_t limit; /* bytes, whatever G is */
	uint32_t rights;
};

/* Whether an access is allowed, and the exception if not. Both have the error code 0. */
enum insn_check { INSN_ALLOWED, INSN_RAISES_GP, INSN_RAISES_SS };

/*
 * The linear address of an access, checked as the processor does before it looks at page tables:
 * the address is canonical ('is_la57': with 57 bits) in 64-bit mode; the segment is usable, allows
 * the access and reaches so far in the others, where '*ret' has 32 bits. Of 'segment' 64-bit mode
 * uses only the base, and that only for FS and GS. '*ret' is defined only if allowed.
 */
enum insn_check insn_linear(const struct insn_access *access,
			    const struct insn_segment_state *segment, enum insn_mode mode,
			    bool is_la57, uint64_t *ret);
