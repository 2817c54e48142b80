; SPDX-License-Identifier: BSD-2-Clause
; The Xen ELF note PHYS32_ENTRY: makes a payload loadable by the PVH protocol. It
; replaces multiboot.asm, so that a loader has no choice.
PHYS32_ENTRY equ 18
extern start

section .note.pvh note alloc noexec nowrite align=4
	dd 4, 4, PHYS32_ENTRY
	db "Xen", 0
	dd start
