/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Fill the IDT and load it. Once, on the boot processor, after cpu_init_boot(). */
void idt_init(void);
/* Load the IDT on another processor. */
void idt_load(void);
/*
 * Let the exceptions that must not trust the current stack use the IST stacks, on all processors.
 * Each processor's struct cpu must have them.
 */
void idt_use_ist(void);
/* Base of the IDT, for VMCS host state. */
uint64_t idt_base(void);
