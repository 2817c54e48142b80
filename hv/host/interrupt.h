/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* For a VM exit caused by an NMI: run the handler; its IRET ends the blocking of NMIs. */
static inline void interrupt_handle_nmi(void)
{
	asm volatile("int $2" : : : "memory");
}

/* Take pending interrupts, without waiting. */
static inline void cpu_take_interrupts(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}
