/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores of x87, MMX, SSE and AVX state. xmm0 to xmm3 hold data. */
#include "tests/guest/lib/form.inc"

.irp op, movaps, movapd, movdqa, movntps, movntpd, movntdq
	form "\op [rdi], xmm1", align=16
.endr
.irp op, movups, movupd, movdqu
	form "\op [rdi], xmm1"
.endr
.irp op, movlps, movhps, movlpd, movhpd, movq
	form "\op qword ptr [rdi], xmm2"
.endr
	form "movsd qword ptr [rdi], xmm2"
	form "movss dword ptr [rdi], xmm2"
	form "movd dword ptr [rdi], xmm2"
	form "maskmovdqu xmm1, xmm0"
	form "movq mm0, rax; movq [rdi], mm0; emms"
	form "movq mm0, rax; movd [rdi], mm0; emms"
	form "movq mm0, rax; movntq [rdi], mm0; emms"
	form "movq mm0, rax; movq mm1, rbx; maskmovq mm0, mm1; emms"
	form "pextrb byte ptr [rdi], xmm1, 5", needs=NEEDS_SSE41
	form "pextrw word ptr [rdi], xmm1, 3", needs=NEEDS_SSE41
	form "pextrd dword ptr [rdi], xmm1, 1", needs=NEEDS_SSE41
	form "pextrq qword ptr [rdi], xmm1, 1", needs=NEEDS_SSE41
	form "extractps dword ptr [rdi], xmm1, 2", needs=NEEDS_SSE41
	form "stmxcsr [rdi]"

	form "fld1; fst dword ptr [rdi]; fstp st(0)"
	form "fldpi; fst qword ptr [rdi]; fstp st(0)"
	form "fldpi; fstp dword ptr [rdi]"
	form "fldl2e; fstp qword ptr [rdi]"
	form "fldpi; fstp tbyte ptr [rdi]"
	form "fldpi; fist word ptr [rdi]; fstp st(0)"
	form "fldpi; fistp dword ptr [rdi]"
	form "fldpi; fistp qword ptr [rdi]"
	form "fldpi; fisttp dword ptr [rdi]"
	form "fldpi; fbstp [rdi]"
	form "fnstcw [rdi]"
	form "fnstsw [rdi]"
	form "fnstenv [rdi]"
	form "fldpi; fnsave [rdi]"
	form "fxsave [rdi]", align=16
	form "fxsave64 [rdi]", align=16
	form "mov eax, 3; xor edx, edx; xsave [rdi]", align=64, needs=NEEDS_XSAVE
	form "mov eax, 3; xor edx, edx; xsave64 [rdi]", align=64, needs=NEEDS_XSAVE
	form "mov eax, 7; xor edx, edx; xsavec [rdi]", align=64, needs=NEEDS_XSAVEC

.macro avx code, align=1, needs=NEEDS_AVX
	form "vinsertf128 ymm1, ymm1, xmm2, 1; \code; vzeroupper", align=\align, needs=\needs
.endm
.irp op, vmovaps, vmovapd, vmovdqa, vmovntdq
	avx "\op [rdi], ymm1", align=32
	avx "\op [rdi], xmm1", align=16
.endr
.irp op, vmovups, vmovupd, vmovdqu
	avx "\op [rdi], ymm1"
	avx "\op [rdi], xmm1"
.endr
	avx "vmovq qword ptr [rdi], xmm1"
	avx "vmovd dword ptr [rdi], xmm1"
	avx "vmovss dword ptr [rdi], xmm1"
	avx "vmovsd qword ptr [rdi], xmm1"
	avx "vmovlps qword ptr [rdi], xmm1"
	avx "vmovhps qword ptr [rdi], xmm1"
	avx "vpextrd dword ptr [rdi], xmm1, 2"
	avx "vextractf128 xmmword ptr [rdi], ymm1, 1"
	avx "vmaskmovps [rdi], xmm0, xmm1"
	avx "vmaskmovpd [rdi], ymm1, ymm1"
	avx "vpmaskmovd [rdi], ymm1, ymm1", needs=NEEDS_AVX2
	avx "vpmaskmovq [rdi], xmm0, xmm1", needs=NEEDS_AVX2
	avx "vextracti128 xmmword ptr [rdi], ymm1, 1", needs=NEEDS_AVX2
	avx "vcvtps2ph qword ptr [rdi], xmm1, 0", needs=NEEDS_F16C
.section .note.GNU-stack, "", @progbits
