/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/deadline.h"
#include "hv/lib/lock.h"
#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/* A weighted fair queue of VMs, see hv/vcpu/share.h. */
struct share_queue {
	struct deadlines turns;
	uint64_t now;	  /* virtual time */
	uint64_t lag;	  /* virtual time */
	uint64_t weights; /* of the active VMs */
	uint64_t rest;	  /* has not advanced the virtual time yet */
};

/* What hv/vcpu/sched.c has for each processor, all zeros at first. Any processor may use it. */
struct run_queue {
	/*
	 * Guards 'shares' and 'behind', and of each VM whose home this processor is the share, and
	 * the list fields of its vCPUs. While it is held, the lock of the deadlines of one
	 * processor may be taken, and another queue's may be tried.
	 */
	struct lock lock;
	struct share_queue shares;
	/*
	 * How far behind the VM is that is next here: UINT64_MAX less its virtual time; 0: none is
	 * ready. Read without the lock: atomic.
	 */
	uint64_t behind;

	/* The deadlines of vCPUs that halted on this processor. */
	struct lock deadlines_lock;
	struct deadlines deadlines;
	uint64_t next_deadline; /* the earliest; read without the lock: atomic */

	/* Written by this processor only. */

	uint64_t n_added, n_removed; /* vCPUs; atomic */
	uint64_t unlooked;	     /* ticks it has charged since it looked at other queues */
	uint64_t look_after;	     /* so many ticks it looks again; constant */
	unsigned looks_from;	     /* the processor that it looks at next */
	struct cpu *other; /* where it takes its next vCPU, if one is still ready; NULL: here */
	bool has_begun;	   /* it runs vCPUs */
	/* Ready, but in no queue until this processor's next sched_pop(); NULL: none is. */
	struct vcpu *new_vcpu;
};
