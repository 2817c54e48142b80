/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts and exceptions of the host. Interrupts are disabled except in cpu_wait() and
 * cpu_take_interrupts(), so their handler needs no protection. Exceptions are our bugs, except
 * two: #GP at an instruction of msr.asm, and #PF by a stale translation.
 */
#include "hv/host/interrupt.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/exception.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/nmi.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/power.h"
#include "hv/host/stop.h"
#include "hv/lib/assert.h"

enum { FIRST_EXTERNAL = 32 };

/* interrupt.asm */
void interrupt_dispatch(struct interrupt_frame *frame);

_Static_assert(sizeof(struct interrupt_frame) == 22 * 8, "interrupt.asm");
_Static_assert(offsetof(struct interrupt_frame, vector) == 15 * 8, "interrupt.asm");

static uint64_t fixup_address(const int32_t *field)
{
	return (uintptr_t)field + (uint64_t)(int64_t)*field;
}

static bool fix_up(struct interrupt_frame *frame)
{
	for (const struct msr_fixup *f = msr_fixups; f != msr_fixups_end; f++) {
		if (fixup_address(&f->fault) == frame->rip) {
			frame->rip = fixup_address(&f->resume);
			return true;
		}
	}
	return false;
}

static void handle_external(uint8_t vector)
{
	if (vector == VECTOR_TIMER)
		power_watch_firmware("it does not return");
	/* A spurious interrupt needs no EOI. */
	if (vector != VECTOR_SPURIOUS)
		host_apic_eoi();
}

static void handle_nmi(struct interrupt_frame *frame)
{
	if (stop_catch(frame))
		return;
	power_watch_firmware("it does not return, with interrupts disabled");
	/* HLT has not begun, and with the shadow of STI gone the wake-up may come before it. */
	if (frame->rip == (uintptr_t)cpu_wait_halt)
		frame->rip++;
	nmi_note();
}

void interrupt_dispatch(struct interrupt_frame *frame)
{
	if (frame->vector >= FIRST_EXTERNAL)
		handle_external((uint8_t)frame->vector);
	else if (frame->vector == VECTOR_NMI)
		handle_nmi(frame);
	else if (frame->vector == VECTOR_MACHINE_CHECK)
		panic_machine_check();
	else if (frame->vector == VECTOR_PROTECTION && fix_up(frame))
		return;
	else if (frame->vector == VECTOR_PAGE_FAULT &&
		 paging_fault_is_stale(read_cr2(), frame->error))
		assert(this_cpu()->current ==
		       NULL); /* otherwise the fault has destroyed the guest's CR2 */
	else
		panic_exception(frame);
}
