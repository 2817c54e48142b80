/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keep the vCPUs of a VM consistent when one of them changes the shared EPT. Either a translation
 * is replaced, and the writer waits until the other vCPUs have forgotten the old one. Or a
 * translation is replaced for one vCPU and one instruction only (hv/run/step.c), and the others
 * stay out of the guest meanwhile, because they must not see it.
 *
 * Waiting ends, because a vCPU that runs soon does one of three things: compare generations before
 * it enters the guest, leave vcpu_run(), or wait in this file, where it compares generations too.
 * An interrupt speeds this up: the guest exits, and each exit compares. No vCPU waits here for
 * another one's lock. A vCPU that leaves vcpu_run() compares too, because it may have replaced a
 * translation without entering the guest since.
 */
#include "hv/run/sync.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/vcpu/forget.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/vm.h"

/*
 * A vCPU sets 'runs' before it reads what others have changed; a vCPU that makes a change does so
 * before it reads who runs. Both sides have this fence in between.
 */
static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool runs(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->runs, __ATOMIC_ACQUIRE);
}

bool sync_enter(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->runs, true, __ATOMIC_RELAXED);
	fence();
	if (sync_may_enter(vcpu))
		return true;
	sync_leave(vcpu);
	return false;
}

void sync_leave(struct vcpu *vcpu)
{
	/* Release: the guest's last accesses came before. */
	__atomic_store_n(&vcpu->runs, false, __ATOMIC_RELEASE);
}

/* While this vCPU waits, another one may be waiting for it. */
static void serve(struct vcpu *vcpu)
{
	uint64_t generation = __atomic_load_n(&vcpu->vm->ept.generation, __ATOMIC_ACQUIRE);

	if (vcpu->ept_generation != generation)
		vcpu_forget(vcpu, generation);
	pause();
}

/* The flush comes before ept_generation shows it; see vcpu_forget(). */
static bool is_behind(const struct vcpu *vcpu, uint64_t generation)
{
	return runs(vcpu) && __atomic_load_n(&vcpu->ept_generation, __ATOMIC_ACQUIRE) < generation;
}

/* Make the vCPU's processor leave the guest. Without one, the vCPU is out and was just dropped. */
static void kick(const struct vcpu *vcpu)
{
	const struct cpu *cpu = __atomic_load_n(&vcpu->last_cpu, __ATOMIC_RELAXED);

	if (cpu != NULL)
		host_apic_send_wake(cpu->apic_id);
}

/*
 * The vCPU has changed the VM's tree up to 'generation', and has forgotten the old translations
 * itself. Return when no other vCPU can use them.
 */
static void sync_others(struct vcpu *vcpu, uint64_t generation)
{
	struct vm *vm = vcpu->vm;

	fence();
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		if (vm_vcpu(vm, i) != vcpu && is_behind(vm_vcpu(vm, i), generation))
			kick(vm_vcpu(vm, i));
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		while (vm_vcpu(vm, i) != vcpu && is_behind(vm_vcpu(vm, i), generation))
			serve(vcpu);
}

/* Out of line, so that vcpu_flush() has no registers to save. */
__attribute__((noinline)) static void flush_all(struct vcpu *vcpu, uint64_t generation)
{
	vcpu->has_moved_on = false;
	vcpu_forget(vcpu, generation);
	sync_others(vcpu, generation);
}

void vcpu_flush(struct vcpu *vcpu, uint64_t generation)
{
	if (vcpu->vm->n_vcpus > 1 && vcpu->has_moved_on)
		flush_all(vcpu, generation);
	else
		vcpu_forget(vcpu, generation);
}

bool sync_stop_others(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vcpu *only = NULL;

	if (!__atomic_compare_exchange_n(&vm->only_vcpu, &only, vcpu, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (only != vcpu)
			vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
		return only == vcpu;
	}
	fence();
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		if (vm_vcpu(vm, i) != vcpu && runs(vm_vcpu(vm, i)))
			sched_request(vm_vcpu(vm, i), VCPU_REQUEST_LEAVE);
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		while (vm_vcpu(vm, i) != vcpu && runs(vm_vcpu(vm, i)))
			serve(vcpu);
	return true;
}

void sync_let_others_go(struct vcpu *vcpu)
{
	/* Release pairs with sync_may_enter(). The others are ready, and try again by themselves.
	 */
	__atomic_store_n(&vcpu->vm->only_vcpu, NULL, __ATOMIC_RELEASE);
}
