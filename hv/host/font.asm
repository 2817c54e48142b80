; SPDX-License-Identifier: BSD-2-Clause
; The console's font, taken from a Debian package by hv/host/font.cmake.

section .rodata

; const uint8_t font[FONT_GLYPHS][FONT_HEIGHT]
; The first 128 glyphs of a PSF version 1 file, indexed by their ASCII codes.
global font:data hidden
align 16
font:
        incbin  "font.psf", 4, 128 * 16
