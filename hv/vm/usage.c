/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/usage.h"

#include "hv/vcpu/sched.h"

/* Of VMs without a template that have ended. Atomic. */
static struct usage of_ended;

const char *usage_exit_name(enum exit_kind kind)
{
	static const char *const names[N_EXIT_KINDS] = {
		[EXITS_OTHER] = "other",
		[EXITS_CPUID] = "CPUID",
		[EXITS_CR] = "control registers",
		[EXITS_EPT_VIOLATION] = "EPT violation",
		[EXITS_HLT] = "HLT",
		[EXITS_INTERRUPT] = "external interrupt",
		[EXITS_IO] = "I/O instruction",
		[EXITS_MSR_READ] = "RDMSR",
		[EXITS_MSR_WRITE] = "WRMSR",
		[EXITS_TIMER] = "preemption timer",
	};

	return names[kind];
}

void usage_add(struct usage *sum, const struct vm *vm)
{
	sum->ticks += __atomic_load_n(&vm->share.used, __ATOMIC_RELAXED);
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
			sum->n_exits[kind] +=
				__atomic_load_n(&vm_vcpu(vm, i)->n_exits[kind], __ATOMIC_RELAXED);
}

void usage_add_all(struct usage *sum)
{
	sum->ticks += __atomic_load_n(&of_ended.ticks, __ATOMIC_RELAXED);
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		sum->n_exits[kind] += __atomic_load_n(&of_ended.n_exits[kind], __ATOMIC_RELAXED);
	for (const struct vm *vm = vms; vm; vm = vm->next)
		usage_add(sum, vm);
}

/* Exits of a VM whose vCPUs do not run. A template's count in its first vCPU. */
static void move_exits(struct vm *from, uint64_t *to)
{
	for (unsigned i = 0; i < from->n_vcpus; i++)
		for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++) {
			uint64_t *of = &vm_vcpu(from, i)->n_exits[kind], n = *of;

			if (n == 0) /* usually: a clone's life has few kinds */
				continue;
			__atomic_fetch_add(&to[kind], n, __ATOMIC_RELAXED);
			__atomic_store_n(of, 0, __ATOMIC_RELAXED);
		}
}

void usage_hand_over(struct vm *vm)
{
	struct vm *template = vm->template;

	sched_move_used(&vm->share, template ? &template->share.used : &of_ended.ticks);
	move_exits(vm, template ? template->vcpu->n_exits : of_ended.n_exits);
}
