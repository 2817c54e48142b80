; SPDX-License-Identifier: BSD-2-Clause
; Where every indirect call and jump of the code that runs guests goes: gcc -mindirect-branch=
; thunk-extern makes "call rax" a call of __x86_indirect_thunk_rax. A thunk jumps; on processors
; whose indirect branches a guest can train, hv/vmx/guard.c puts a retpoline in its place. Patching
; one thunk a register, instead of each call, needs no list of the calls.
;
; Each thunk lies in the second half of a line of 64 bytes: on some processors a guest can train
; branches in the first half only, in spite of IBRS (indirect target selection).

bits 64

SLOT equ 32

section .text

; void __x86_indirect_thunk_REGISTER: jump to the register.
%macro thunk 1
        times SLOT int3
global __x86_indirect_thunk_%1:function hidden
__x86_indirect_thunk_%1:
%%start:
        jmp     %1
        times SLOT - ($ - %%start) int3
%endmacro

; The call pushes %%trap, and what is predicted for the return runs there; the return itself finds
; the register.
%macro retpoline 1
        times SLOT int3
%%start:
        call    %%target
%%trap: pause
        lfence
        jmp     %%trap
%%target:
        mov     [rsp], %1
        ret
        times SLOT - ($ - %%start) int3
%endmacro

%macro for_each_register 1
        %1 rax
        %1 rcx
        %1 rdx
        %1 rbx
        %1 rbp
        %1 rsi
        %1 rdi
        %1 r8
        %1 r9
        %1 r10
        %1 r11
        %1 r12
        %1 r13
        %1 r14
        %1 r15
%endmacro

; Two arrays of the same size: the second replaces the first.
global indirect_thunks:data hidden, indirect_thunks_end:data hidden, retpolines:data hidden
align 64
indirect_thunks:
for_each_register thunk
indirect_thunks_end:
align 64
retpolines:
for_each_register retpoline
