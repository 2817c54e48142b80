; SPDX-License-Identifier: BSD-2-Clause
; Where the firmware enters the image: unpack, then continue in gnu-efi's start code.

section .text

extern unpack, _start
global entry:function hidden

; EFI_STATUS entry(EFI_HANDLE image (rcx), EFI_SYSTEM_TABLE *table (rdx)), with Microsoft's calling
; convention, which keeps rdi and rsi. unpack() has that of the image, which does not.
entry:
        push    rdi
        push    rsi
        push    rcx
        push    rdx
        sub     rsp, 8
        mov     rdi, rdx
        call    unpack
        add     rsp, 8
        pop     rdx
        pop     rcx
        pop     rsi
        pop     rdi
        test    rax, rax
        jz      _start
        ret
