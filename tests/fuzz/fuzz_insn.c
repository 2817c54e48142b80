/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an instruction: a byte for the mode, 18 registers, then code.
 * What decodes is executed until it is complete or has had enough.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/devices/insn_decode.h"
#include "hv/devices/insn_execute.h"
#include "hv/lib/assert.h"

#define N_WORDS 18

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void execute(const struct insn *insn, struct insn_regs *regs)
{
	uint64_t start = regs->rip, old = regs->gpr[RBX], new = 0;

	for (int i = 0; i < 4 && regs->rip == start; i++) {
		struct insn_access accesses[2] = {0};
		size_t n = insn_accesses(insn, regs, accesses);
		bool writes = false;

		assert(n <= 2);
		if (insn->op == INSN_CMPS)
			insn_execute_cmps(insn, regs, old, new);
		else
			insn_execute(insn, regs, old, &new, &writes);
		assert(writes == (n > 0 && accesses[n - 1].writes));
		old = new;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t words[N_WORDS], gpr[16];
	struct insn_regs regs = {.gpr = gpr};
	struct insn insn;

	if (size < 1 + sizeof(words))
		return 0;
	memcpy(words, data + 1, sizeof(words));
	memcpy(gpr, words, sizeof(gpr));
	regs.rip = words[16];
	regs.rflags = words[17];
	regs.stack_size = (data[0] & 4) != 0 ? 2 : 0;
	size_t n = size - 1 - sizeof(words);
	uint8_t *code = malloc(n); /* of its own, so that a byte too much is noticed */

	memcpy(code, data + 1 + sizeof(words), n);
	if (insn_decode(code, n, (enum insn_mode)(data[0] % 3), &insn) == OK) {
		assert(insn.length >= 1 && insn.length <= n && insn.length <= INSN_MAX_LEN);
		execute(&insn, &regs);
	}
	free(code);
	return 0;
}
