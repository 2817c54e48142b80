/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops the other processors, for a panic and for power-off. They halt in the NMI handler and
 * never resume.
 */
#include "hv/host/stop.h"

#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"

enum { STOP_SPINS = 200000 };

/* The processor that stops the machine; set once, atomically. */
static struct cpu *stopping;

_Noreturn void cpu_park(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

void stop_if_asked(void)
{
	struct cpu *cpu = __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);

	if (cpu != NULL && cpu != this_cpu())
		cpu_park();
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
		host_apic_send_nmi_all_but_self();
		/* Give them time, without tsc_hz, which may be unknown yet. They do not answer. */
		for (unsigned i = 0; i < STOP_SPINS; i++)
			pause();
	}
	console_break_lock();
	return true;
}
