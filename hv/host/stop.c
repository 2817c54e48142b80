/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops the other processors, for a panic and for the machine's end: their NMI handler returns to a
 * loop that never ends. The first of them also watches the processor that stopped them.
 */
#include "hv/host/stop.h"

#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/exception.h"
#include "hv/host/io.h"

enum { STOP_SPINS = 200000, RFLAGS_FIXED = 1 << 1 };

/* The processor that stops the machine; set once, atomically. */
static struct cpu *stopping;

static uint64_t watch_deadline; /* TSC, 0: none; atomic */

/* Not to processors that are left out: the firmware may have them, or they have no IDT. */
static void send_nmi_to_others(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (cpus[i] != this_cpu())
			host_apic_send_nmi(cpus[i]->apic_id);
}

_Noreturn void cpu_park(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

static bool is_watcher(void)
{
	return this_cpu() == cpus[cpus[0] == stopping ? 1 : 0];
}

/* An NMI that arrives before HLT begins this again. */
static _Noreturn void stay_stopped(void)
{
	cpu_leave_vmx();
	for (;;) {
		uint64_t deadline = __atomic_load_n(&watch_deadline, __ATOMIC_ACQUIRE);

		if (deadline == 0 || !is_watcher()) {
			hlt();
		} else if (rdtsc() >= deadline) {
			stop_watch(0);
			host_apic_send_nmi(stopping->apic_id);
		} else {
			pause();
		}
	}
}

bool stop_catch(struct interrupt_frame *frame)
{
	struct cpu *cpu = __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);

	if (cpu == NULL || cpu == this_cpu())
		return false;
	frame->rip = (uintptr_t)stay_stopped;
	frame->rsp = align_down(frame->rsp, 16) - sizeof(uint64_t); /* as if it had been called */
	frame->rflags = RFLAGS_FIXED;
	return true;
}

void stop_watch(uint64_t tsc_deadline)
{
	/* Release pairs with the acquire in stay_stopped(). */
	__atomic_store_n(&watch_deadline, tsc_deadline, __ATOMIC_RELEASE);
	if (tsc_deadline != 0)
		send_nmi_to_others();
}

bool stop_others(void)
{
	struct cpu *nobody = NULL;

	cli();
	if (!__atomic_compare_exchange_n(&stopping, &nobody, this_cpu(), false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		if (nobody != this_cpu())
			cpu_park();
		return false;
	}
	if (n_cpus > 1) {
		send_nmi_to_others();
		/* Give them time, without tsc_hz, which may be unknown yet. They do not answer. */
		for (unsigned i = 0; i < STOP_SPINS; i++)
			pause();
	}
	console_break_lock();
	return true;
}
