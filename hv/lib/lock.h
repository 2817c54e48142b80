/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A ticket spin lock. Never held across a VM entry, never taken by an interrupt
 * handler, and held for a few hundred instructions at most, except the lock of a
 * node's frames while a run is sought that neighbors must make long enough, or
 * one of many blocks is taken, and that of the VMs while all are counted, at
 * some ten instructions each. No lock is held while the screen is
 * drawn or something waits for a UART, except the console's at start-up and at
 * the end.
 *
 * All locks, in their order: a processor takes only locks that are below the
 * ones it holds, and never two of a kind, except by lock_try(). Each
 * declaration says what the lock guards.
 *
 *	a VM's devices		struct vm, devices_lock
 *	the list of VMs		hv/vm/vm.c, vms_lock
 *	a processor's new VMs	hv/host/cpu.h
 *	the search for merging	hv/vm/merge_scan.c
 *	a VM's memory		struct vm, lock
 *	buffers for ACPI	hv/vm/build.c, acpi.lock
 *	the host's page tables	hv/host/paging.c
 *	merged frames		hv/ept/merged.c
 *	guests' output		hv/vm/output.c, output_lock
 *	a hub			hv/net/hub.c
 *	a processor's queue	hv/host/run_queue.h
 *	a processor's deadlines	hv/host/run_queue.h
 *	a node's free frames	hv/frame/frame.c, and that of the list of their stacks
 *	the console		hv/host/console.c
 *
 * The last four are leaves.
 */
struct lock {
	uint32_t next;
	uint32_t serving;
};

static inline void lock_acquire(struct lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* Acquire pairs with the release in lock_release(). Mostly no processor holds the lock. */
	while (__builtin_expect(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket, false))
		__builtin_ia32_pause();
}

/* Take the lock if it is free; false: it is not. */
static inline bool lock_try(struct lock *lock)
{
	/* Acquire pairs with the release in lock_release(). */
	uint32_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);

	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}
