; SPDX-License-Identifier: BSD-2-Clause
; RDMSR and WRMSR of a register that the processor may lack: #GP makes them return false. The
; handler of #GP looks the instruction up in the table below.

default rel
bits 64

section .text

; bool rdmsr_safe(uint32_t msr (edi), uint64_t *ret (rsi))
global rdmsr_safe:function hidden
rdmsr_safe:
        mov     ecx, edi
.try:   rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [rsi], rax
        mov     eax, 1
        ret

; bool wrmsr_safe(uint32_t msr (edi), uint64_t value (rsi))
global wrmsr_safe:function hidden
wrmsr_safe:
        mov     ecx, edi
        mov     eax, esi
        mov     rdx, rsi
        shr     rdx, 32
.try:   wrmsr
        mov     eax, 1
        ret

return_false:
        xor     eax, eax
        ret

section .rodata

; struct msr_fixup: the instruction that may raise #GP, and where execution resumes then. Each is
; relative to its own address, and so on a line of its own ($ is the line's address).
global msr_fixups:data hidden, msr_fixups_end:data hidden
align 4
msr_fixups:
        dd      rdmsr_safe.try - $
        dd      return_false - $
        dd      wrmsr_safe.try - $
        dd      return_false - $
msr_fixups_end:
