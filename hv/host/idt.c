/* SPDX-License-Identifier: BSD-2-Clause */
/* The IDT, the same for all processors: each vector leads to its stub in interrupt.asm. */
#include "hv/host/idt.h"

#include "hv/host/cpu.h"
#include "hv/host/exception.h"
#include "hv/lib/types.h"

enum { VECTORS = 256, INTERRUPT_STUB_SIZE = 16 };

/* SDM vol. 3, "64-Bit Mode IDT": present, interrupt gate. */
#define GATE UINT64_C(0x8e00)

struct gate {
	uint64_t low, high;
};

/* interrupt.asm */
extern const char interrupt_stubs[VECTORS][INTERRUPT_STUB_SIZE]
	__attribute__((visibility("hidden")));

/* Constant after idt_use_ist(). */
static struct gate idt[VECTORS] __attribute__((aligned(16)));

static void set_gate(unsigned vector, unsigned ist)
{
	uint64_t target = (uintptr_t)interrupt_stubs[vector];

	idt[vector].low = (target & 0xffff) | CPU_SELECTOR_CODE << 16 | (uint64_t)ist << 32 |
			  GATE << 32 | (target >> 16 & 0xffff) << 48;
	idt[vector].high = target >> 32;
}

void idt_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uintptr_t)idt};

	asm volatile("lidt %0" : : "m"(pointer));
}

void idt_init(void)
{
	for (unsigned vector = 0; vector < VECTORS; vector++)
		set_gate(vector, 0);
	idt_load();
}

void idt_use_ist(void)
{
	set_gate(VECTOR_DOUBLE_FAULT, CPU_IST_DOUBLE_FAULT);
	set_gate(VECTOR_NMI, CPU_IST_NMI);
	set_gate(VECTOR_MACHINE_CHECK, CPU_IST_MACHINE_CHECK);
	set_gate(VECTOR_PAGE_FAULT, CPU_IST_FAULT);
	set_gate(VECTOR_STACK_FAULT, CPU_IST_FAULT);
}

uint64_t idt_base(void)
{
	return (uintptr_t)idt;
}
