/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs of a VM run at once, and one of them changes what all of them go by. Two
 * kinds of change: a translation is replaced, and the writer goes on when the others have forgotten
 * the old one; or it is replaced for one vCPU alone and for one instruction (hv/run/step.c), which
 * the others must not see at all, so that they are out of the guest meanwhile.
 *
 * A vCPU that runs does one of three things soon: it looks at the generation before it enters the
 * guest, it leaves vcpu_run(), or it waits in here, where it looks at the generation too. So
 * all waiting ends. An interrupt hastens it: the guest exits, and each exit looks. What a
 * waiting vCPU waits for is never a lock of another one.
 */
#include "hv/run/sync.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/vm.h"

/*
 * Whoever says that it runs looks, later, at what others have changed; whoever changes
 * something looks, later, who runs. This fence is between the two on either side.
 */
static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool runs(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->runs, __ATOMIC_ACQUIRE);
}

static bool may_run(const struct vcpu *vcpu)
{
	/* Acquire pairs with sync_let_others_go(): the tree is as it was again. */
	const struct vcpu *alone = __atomic_load_n(&vcpu->vm->only_vcpu, __ATOMIC_ACQUIRE);

	return alone == NULL || alone == vcpu;
}

bool sync_enter(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->runs, true, __ATOMIC_RELAXED);
	fence();
	if (may_run(vcpu))
		return true;
	sync_leave(vcpu);
	return false;
}

void sync_leave(struct vcpu *vcpu)
{
	/* Release: the guest's last accesses were before. */
	__atomic_store_n(&vcpu->runs, false, __ATOMIC_RELEASE);
}

/* While waiting: another one may be waiting for this one. */
static void serve(struct vcpu *vcpu)
{
	uint64_t generation = __atomic_load_n(&vcpu->vm->ept.generation, __ATOMIC_ACQUIRE);

	if (vcpu->ept_generation != generation)
		vcpu_forget(vcpu, generation);
	pause();
}

/* Its flush comes before it is known to have seen the generation; see vcpu_forget(). */
static bool is_behind(const struct vcpu *vcpu, uint64_t generation)
{
	return runs(vcpu) && __atomic_load_n(&vcpu->ept_generation, __ATOMIC_ACQUIRE) < generation;
}

/*
 * The vCPU has changed the VM's memory tree up to 'generation' and has itself forgotten the old
 * translations: return when no other vCPU can use them any longer.
 */
static void sync_others(struct vcpu *vcpu, uint64_t generation)
{
	struct vm *vm = vcpu->vm;

	fence();
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		if (&vm->vcpu[i] != vcpu && is_behind(&vm->vcpu[i], generation))
			host_apic_send_wake(vm->vcpu[i].last_cpu->apic_id);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		while (&vm->vcpu[i] != vcpu && is_behind(&vm->vcpu[i], generation))
			serve(vcpu);
}

/* Out of line, so that vcpu_flush() has no registers to save. */
__attribute__((noinline)) static void flush_all(struct vcpu *vcpu, uint64_t generation)
{
	vcpu_forget(vcpu, generation);
	sync_others(vcpu, generation);
}

void vcpu_flush(struct vcpu *vcpu, uint64_t generation)
{
	bool has_moved_on = vcpu->has_moved_on;

	vcpu->has_moved_on = false;
	if (vcpu->vm->n_vcpus > 1 && has_moved_on)
		flush_all(vcpu, generation);
	else
		vcpu_forget(vcpu, generation);
}

bool sync_stop_others(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vcpu *alone = NULL;

	if (!__atomic_compare_exchange_n(&vm->only_vcpu, &alone, vcpu, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (alone != vcpu)
			vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
		return alone == vcpu;
	}
	fence();
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		if (&vm->vcpu[i] != vcpu && runs(&vm->vcpu[i]))
			sched_request(&vm->vcpu[i], VCPU_REQUEST_LEAVE);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		while (&vm->vcpu[i] != vcpu && runs(&vm->vcpu[i]))
			serve(vcpu);
	return true;
}

void sync_let_others_go(struct vcpu *vcpu)
{
	/* Release pairs with may_run(). They are ready, and try again by themselves. */
	__atomic_store_n(&vcpu->vm->only_vcpu, NULL, __ATOMIC_RELEASE);
}
