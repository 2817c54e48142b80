/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * A ticket spin lock. Held for a few hundred instructions at most, never across
 * a VM entry, never taken by an interrupt handler. Lock order: a VM's devices, then its
 * memory, then sched, then frames, then console; each declaration says what it guards.
 */
struct lock {
	uint32_t next;
	uint32_t serving;
};

static inline void lock_acquire(struct lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* Acquire pairs with the release in lock_release(). */
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}
