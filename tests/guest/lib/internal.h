/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Declarations that only the library's own files use. */

void serial_init(void);
void params_init(void);
void trap_init(void);
/* Load the IDT on another processor. */
void trap_load(void);
void paging_init(void);
void print_args(const char *format, __builtin_va_list args);
