/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/run_queue.h"
#include "hv/lib/deadline.h"
#include "hv/vcpu/vcpu.h"

/*
 * A weighted fair queue of VMs: which VM's vCPU runs next. A VM's virtual time advances by what it
 * uses, divided by its weight. The queue's virtual time advances by what all use, divided by the
 * weights of those that are active. The VM that is furthest behind is next, however many vCPUs it
 * has. One that begins, or was idle, is behind by 'lag' at most: it cannot save up time.
 *
 * Pure: the lock of the VM's home guards all of it. Times are in ticks of the TSC.
 */
#define SHARE_WEIGHT_DEFAULT 100

/* A VM's. The first member of struct vm, so that its vCPUs find it. */
struct share {
	struct deadline turn; /* in the queue while a vCPU is ready; 'at' is the virtual time */
	struct vcpu *last;    /* of the ready vCPUs, a ring by 'next'; NULL: none is ready */
	uint64_t used;	      /* in all; atomic, written without the lock, too */
	uint32_t rest;	      /* has not advanced the virtual time yet */
	uint16_t n_active;    /* vCPUs that are ready, or run */
	uint16_t weight;
	uint16_t home; /* the index of the processor whose queue it is in; see hv/vcpu/sched.c;
			  atomic */
};

/* The lag that lets a VM of default weight be behind by so much. */
void share_set_lag(struct share_queue *queue, uint64_t ticks);

/* One more, or one less, of the VM's vCPUs is active. */
static inline void share_activate(struct share_queue *queue, struct share *share)
{
	if (share->n_active++ == 0)
		queue->weights += share->weight;
}

static inline void share_deactivate(struct share_queue *queue, struct share *share)
{
	if (--share->n_active == 0)
		queue->weights -= share->weight;
}

/* The VM, none of whose vCPUs was ready, is not behind by more than the lag. */
static inline void share_limit_lag(const struct share_queue *queue, struct share *share)
{
	if (share->turn.at + queue->lag < queue->now)
		share->turn.at = queue->now - queue->lag;
}

/* Where there are processors enough for all, each VM gets more than its share. */
static inline void share_note_turn(struct share_queue *queue, const struct share *share)
{
	if (queue->now < share->turn.at)
		queue->now = share->turn.at;
}

/* The active vCPU is ready. */
static inline void share_push(struct share_queue *queue, struct share *share, struct vcpu *vcpu)
{
	struct vcpu *last = share->last;

	share->last = vcpu;
	if (last) {
		vcpu->next = last->next;
		last->next = vcpu;
		return;
	}
	vcpu->next = vcpu;
	share_limit_lag(queue, share);
	deadline_add(&queue->turns, &share->turn);
}

/*
 * share_push() and share_pop() in one, of a VM's only active vCPU. False: another one goes first,
 * and nothing was done.
 */
static inline bool share_go_first(struct share_queue *queue, struct share *share)
{
	if (share->last)
		return false;
	share_limit_lag(queue, share);
	if (queue->turns.first && queue->turns.first->at <= share->turn.at)
		return false;
	share_note_turn(queue, share);
	return true;
}

/* Take out the vCPU that is next; it stays active. NULL: none is ready. */
static inline struct vcpu *share_pop(struct share_queue *queue)
{
	struct share *share = (struct share *)queue->turns.first; /* 'turn' is its first member */
	struct vcpu *vcpu;

	if (share == NULL)
		return NULL;
	share_note_turn(queue, share);
	vcpu = share->last->next;
	if (vcpu == share->last) {
		share->last = NULL;
		deadline_remove(&queue->turns, &share->turn);
	} else {
		share->last->next = vcpu->next;
	}
	return vcpu;
}
_Static_assert(offsetof(struct share, turn) == 0, "share_pop() casts");

/* The VM has used so much. */
void share_charge(struct share_queue *queue, struct share *share, uint64_t ticks);
/* The VM has caused work outside its vCPUs' turns, whether it is active or not. */
void share_charge_work(struct share_queue *queue, struct share *share, uint64_t ticks);
/* The end of a VM of this weight took so much: it counts for what the others may expect. */
void share_charge_end(struct share_queue *queue, uint16_t weight, uint64_t ticks);
/* Whether a vCPU of the VM, which runs, should let another one run: of its VM, or of another. */
bool share_yields(const struct share_queue *queue, const struct share *share);
