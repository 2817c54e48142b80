/* SPDX-License-Identifier: BSD-2-Clause */
/* A place at which all processors meet. */
#include "hv/host/rendezvous.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"

static bool is_wanted;	   /* atomic */
static unsigned n_waiting; /* processors in rendezvous_pass(), atomic */

static unsigned count_waiting(void)
{
	/* Acquire pairs with rendezvous_pass(): what the processor did before is seen. */
	return __atomic_load_n(&n_waiting, __ATOMIC_ACQUIRE);
}

void rendezvous_begin(void)
{
	__atomic_store_n(&is_wanted, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < n_cpus; i++)
		if (cpus[i] != this_cpu())
			host_apic_send_wake(cpus[i]->apic_id);
	while (count_waiting() < n_cpus - 1)
		pause();
}

void rendezvous_end(void)
{
	/* Release pairs with rendezvous_pass(): what was changed meanwhile is seen. */
	__atomic_store_n(&is_wanted, false, __ATOMIC_RELEASE);
	while (count_waiting() > 0)
		pause();
}

void rendezvous_pass(void)
{
	if (!__atomic_load_n(&is_wanted, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_add(&n_waiting, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&is_wanted, __ATOMIC_ACQUIRE))
		pause();
	__atomic_fetch_sub(&n_waiting, 1, __ATOMIC_RELEASE);
}
