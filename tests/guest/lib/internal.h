/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* What the library's own files need of each other. */

void serial_init(void);
void params_init(void);
void trap_init(void);
/* The IDT, on another processor. */
void trap_load(void);
void paging_init(void);
void print_args(const char *format, __builtin_va_list args);
