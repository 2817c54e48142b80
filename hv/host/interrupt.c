/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDT, the same for all processors. Interrupts are off everywhere but in cpu_wait() and
 * cpu_take_interrupts(), so a handler for one has nothing to protect against. Exceptions
 * are bugs, but for two: #GP at an instruction that is allowed to, and #PF by a
 * translation that was relaxed meanwhile.
 */
#include "hv/host/interrupt.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/lib/assert.h"

enum { VECTORS = 256, FIRST_EXTERNAL = 32, INTERRUPT_STUB_SIZE = 16 };

/* SDM vol. 3, "64-Bit Mode IDT": present, interrupt gate. */
#define GATE UINT64_C(0x8e00)

struct gate {
	uint64_t low, high;
};

struct interrupt_fixup {
	int32_t fault, resume;
};

/* interrupt.asm */
extern const char interrupt_stubs[VECTORS][INTERRUPT_STUB_SIZE]
	__attribute__((visibility("hidden")));
extern const struct interrupt_fixup interrupt_fixups[];
extern const struct interrupt_fixup interrupt_fixups_end[];
void interrupt_dispatch(struct interrupt_frame *frame);

_Static_assert(sizeof(struct interrupt_frame) == 22 * 8, "interrupt.asm");
_Static_assert(offsetof(struct interrupt_frame, vector) == 15 * 8, "interrupt.asm");

/* Constant after interrupt_use_ist(). */
static struct gate idt[VECTORS] __attribute__((aligned(16)));

static void set_gate(unsigned vector, unsigned ist)
{
	uint64_t target = (uintptr_t)interrupt_stubs[vector];

	idt[vector].low = (target & 0xffff) | CPU_SELECTOR_CODE << 16 | (uint64_t)ist << 32 |
			  GATE << 32 | (target >> 16 & 0xffff) << 48;
	idt[vector].high = target >> 32;
}

void interrupt_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uintptr_t)idt};

	asm volatile("lidt %0" : : "m"(pointer));
}

void interrupt_init(void)
{
	for (unsigned vector = 0; vector < VECTORS; vector++)
		set_gate(vector, 0);
	interrupt_load();
}

void interrupt_use_ist(void)
{
	set_gate(VECTOR_DOUBLE_FAULT, CPU_IST_DOUBLE_FAULT);
	set_gate(VECTOR_NMI, CPU_IST_NMI);
	set_gate(VECTOR_MACHINE_CHECK, CPU_IST_MACHINE_CHECK);
	set_gate(VECTOR_PAGE_FAULT, CPU_IST_FAULT);
	set_gate(VECTOR_STACK_FAULT, CPU_IST_FAULT);
}

uint64_t interrupt_idt_base(void)
{
	return (uintptr_t)idt;
}

static uint64_t fixup_address(const int32_t *field)
{
	return (uintptr_t)field + (uint64_t)(int64_t)*field;
}

static bool fix_up(struct interrupt_frame *frame)
{
	for (const struct interrupt_fixup *f = interrupt_fixups; f != interrupt_fixups_end; f++) {
		if (fixup_address(&f->fault) == frame->rip) {
			frame->rip = fixup_address(&f->resume);
			return true;
		}
	}
	return false;
}

void interrupt_handle_external(uint8_t vector)
{
	/* The local APIC expects no end of a spurious interrupt. */
	if (vector != VECTOR_SPURIOUS)
		host_apic_eoi();
}

static void handle_nmi(void)
{
	panic_park_if_stopping();
	this_cpu()->nmi_count++;
}

void interrupt_dispatch(struct interrupt_frame *frame)
{
	if (frame->vector >= FIRST_EXTERNAL)
		interrupt_handle_external((uint8_t)frame->vector);
	else if (frame->vector == VECTOR_NMI)
		handle_nmi();
	else if (frame->vector == VECTOR_PROTECTION && fix_up(frame))
		return;
	else if (frame->vector == VECTOR_PAGE_FAULT &&
		 paging_fault_is_stale(read_cr2(), frame->error))
		assert(this_cpu()->current == NULL); /* CR2 would be the guest's */
	else
		panic_exception(frame);
}
