/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors take turns to read their TSCs. Each must read no less than the other has read
 * before; so an offset is seen if it is larger than the way of a cache line from one to the other,
 * which is what a guest could see too.
 */
#include "hv/host/tsc_sync.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/lib/lock.h"

enum { CHECKS_PER_SECOND = 500 };

static bool has_adjust;	     /* constant after tsc_sync_setup(), as the next */
static uint64_t adjust_here; /* IA32_TSC_ADJUST of the boot processor */

static struct cpu *checked;	 /* set by the boot processor, cleared by that one, atomically */
static unsigned n_ready, n_done; /* of the two, atomic */

static struct lock lock; /* guards the next two while both processors check */
static uint64_t last, behind;

static bool has_tsc_adjust(void)
{
	struct cpuid_regs regs;

	cpuid(0, 0, &regs);
	if (regs.eax < 7)
		return false;
	cpuid(7, 0, &regs);
	return regs.ebx & BIT(1);
}

void tsc_sync_setup(void)
{
	has_adjust = has_tsc_adjust();
	adjust_here = has_adjust ? rdmsr(IA32_TSC_ADJUST) : 0;
}

static void look_once(void)
{
	lock_acquire(&lock);
	uint64_t now = rdtsc_ordered();

	if (now < last && last - now > behind)
		behind = last - now;
	last = now;
	lock_release(&lock);
}

/* Both arrive here. */
static void meet(unsigned *n)
{
	/* Release pairs with the acquire of the other processor. */
	__atomic_fetch_add(n, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(n, __ATOMIC_ACQUIRE) < 2)
		pause();
}

static void check(void)
{
	uint64_t start, ticks = tsc_hz / CHECKS_PER_SECOND;

	meet(&n_ready);
	start = rdtsc();
	while (rdtsc() - start < ticks)
		look_once();
	meet(&n_done);
}

uint64_t tsc_sync_check(struct cpu *cpu)
{
	last = behind = 0;
	n_ready = n_done = 0;
	/* Release pairs with the acquire in tsc_sync_follow(). */
	__atomic_store_n(&checked, cpu, __ATOMIC_RELEASE);
	check();
	while (__atomic_load_n(&checked, __ATOMIC_ACQUIRE) != NULL)
		pause();
	return behind;
}

bool tsc_sync_follow(struct cpu *cpu)
{
	if (has_adjust && has_tsc_adjust() && rdmsr(IA32_TSC_ADJUST) != adjust_here)
		wrmsr(IA32_TSC_ADJUST, adjust_here);
	while (__atomic_load_n(&checked, __ATOMIC_ACQUIRE) != cpu)
		pause();
	check();
	bool agrees = behind == 0;

	/* Release pairs with the acquire in tsc_sync_check(): the counts may be reset. */
	__atomic_store_n(&checked, NULL, __ATOMIC_RELEASE);
	return agrees;
}
