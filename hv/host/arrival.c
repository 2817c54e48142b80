/* SPDX-License-Identifier: BSD-2-Clause */
/* The arrival of processors, as far as it must stay after start. */
#include "hv/host/arrival.h"

#include "hv/host/apic.h"
#include "hv/host/idt.h"
#include "hv/host/machine_check.h"
#include "hv/host/paging.h"
#include "hv/host/stop.h"

_Static_assert(offsetof(struct cpu, stack_top) == 8, "arrival.asm");
_Static_assert(offsetof(struct cpu, apic_id) == 20, "arrival.asm");

/* arrival.asm, on the processor's own stack */
_Noreturn void arrival_take(struct cpu *cpu);

struct cpu *arrival_expected[CPU_MAX + 1];
cpu_entry *arrival_main;

bool arrival_change(struct cpu *cpu, enum arrival from, enum arrival to)
{
	uint32_t expected = from;

	/* Release pairs with the acquire in smp.c: the boot processor sees the set-up. */
	return __atomic_compare_exchange_n(&cpu->arrival, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

void arrival_take(struct cpu *cpu)
{
	paging_load();
	cpu_load(cpu);
	idt_load();
	machine_check_init();
	host_apic_enable();
	if (!arrival_change(cpu, ARRIVAL_AWAITED, ARRIVAL_DONE))
		cpu_park();
	arrival_main(cpu);
	__builtin_unreachable();
}
