/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;

/*
 * Vectors of the host. Their handlers do no more than end the interrupt at the
 * local APIC: who waits looks at memory afterwards.
 */
enum {
	VECTOR_NMI = 2,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_STACK_FAULT = 12,
	VECTOR_PROTECTION = 13,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_TIMER = 0xf0,
	VECTOR_WAKE = 0xf1,
	VECTOR_SPURIOUS = 0xff,
};

/* What interrupt.asm leaves on the stack; interrupt.asm knows this layout. */
struct interrupt_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error; /* error: 0 where the vector has none */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Fill the IDT and load it. Once, on the boot processor, after cpu_init_boot(). */
void interrupt_init(void);
/* Load the IDT on another processor. */
void interrupt_load(void);
/* Put the exceptions that must not trust the current stack on cpu's IST stacks (from then on
 * everywhere). */
void interrupt_use_ist(void);

/* Base of the IDT, for VMCS host state. */
uint64_t interrupt_idt_base(void);

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
