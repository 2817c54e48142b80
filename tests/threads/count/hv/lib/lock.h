/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * In place of hv/lib/lock.h where one thread is all processors in turn: each acquisition is
 * counted, by the lock's name in the source. No processor can wait: taking a held lock is an error.
 */
struct lock {
	bool is_held;
};

bool lock_count(struct lock *lock, const char *file, const char *name);

#define lock_acquire(lock) ((void)lock_count(lock, __FILE__, #lock))
#define lock_try(lock)	   lock_count(lock, __FILE__, #lock)

static inline void lock_release(struct lock *lock)
{
	lock->is_held = false;
}
