/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * For a VM exit that acknowledged an external interrupt: what the IDT's handler
 * would have done with 'vector'.
 */
void interrupt_handle_external(uint8_t vector);

/* For a VM exit caused by an NMI: run the handler; its IRET ends the blocking of NMIs. */
static inline void interrupt_handle_nmi(void)
{
	asm volatile("int $2" : : : "memory");
}

/* Wait with interrupts enabled until one came, then return with them disabled. */
static inline void cpu_wait(void)
{
	/* STI's shadow covers HLT: what comes in between wakes it. */
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* Take the interrupts that are pending, without waiting. */
static inline void cpu_take_interrupts(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}
