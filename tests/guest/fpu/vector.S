/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void vector_load(const struct vector_state *state, bool avx);
 * void vector_save(struct vector_state *state, bool avx);
 * x87, MXCSR and SSE by FXSAVE's layout, then the upper halves of ymm0 to ymm15.
 */
.intel_syntax noprefix
.global vector_load, vector_save
.set upper, 512

.text
vector_load:
	fxrstor64 [rdi]
	test esi, esi
	jz 1f
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vinsertf128 ymm\n, ymm\n, [rdi + upper + 16 * \n], 1
.endr
1:	ret

vector_save:
	fxsave64 [rdi]
	test esi, esi
	jz 1f
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vextractf128 [rdi + upper + 16 * \n], ymm\n, 1
.endr
1:	ret
.section .note.GNU-stack, "", @progbits
