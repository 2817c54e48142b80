; SPDX-License-Identifier: BSD-2-Clause
; The Multiboot 1 header: makes a payload loadable by Multiboot loaders. An ELF
; carries its own addresses, so the header only asks for page-aligned modules and memory
; information.
MAGIC equ 0x1badb002
FLAGS equ 3

section .multiboot
align 4
	dd MAGIC, FLAGS, -(MAGIC + FLAGS)
