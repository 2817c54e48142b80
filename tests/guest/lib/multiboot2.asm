; SPDX-License-Identifier: BSD-2-Clause
; The Multiboot 2 header: requires all information that a loader without EFI and screen can have, and
; calls a framebuffer optional.
MAGIC	    equ 0xe85250d6
REQUEST	    equ 1
FRAMEBUFFER equ 5
ON_PAGES    equ 6
OPTIONAL    equ 1

section .multiboot align=8
header:
	dd MAGIC, 0, header_end - header, -(MAGIC + header_end - header)
request:
	dw REQUEST, 0
	dd request_end - request
	dd 1, 2, 3, 4, 6, 9, 15
request_end:
align 8
	dw FRAMEBUFFER, OPTIONAL
	dd 20
	dd 1024, 768, 32
align 8
	dw ON_PAGES, 0
	dd 8
	dw 0, 0
	dd 8
header_end:
