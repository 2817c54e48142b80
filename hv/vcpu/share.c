/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/share.h"

/* Ticks in a unit of virtual time, for a weight of 1. The virtual time lasts for years. */
#define UNIT 64

void share_set_lag(struct share_queue *queue, uint64_t ticks)
{
	queue->lag = ticks / (UNIT * SHARE_WEIGHT_DEFAULT);
}

static void advance(struct share_queue *queue, uint64_t ticks)
{
	uint64_t unit = UNIT * queue->weights;

	if (unit == 0)
		return;
	ticks += queue->rest;
	queue->now += ticks / unit;
	queue->rest = ticks % unit;
}

void share_charge(struct share_queue *queue, struct share *share, uint64_t ticks)
{
	uint64_t unit = UNIT * (uint64_t)share->weight;

	advance(queue, ticks);
	__atomic_fetch_add(&share->used, ticks, __ATOMIC_RELAXED);
	if (share->last)
		deadline_remove(&queue->turns, &share->turn);
	ticks += share->rest;
	share->turn.at += ticks / unit;
	share->rest = (uint32_t)(ticks % unit);
	/* Alone, it is not behind: another one that wakes shall be. */
	if (queue->weights == share->weight && share->turn.at < queue->now)
		share->turn.at = queue->now;
	if (share->last)
		deadline_add(&queue->turns, &share->turn);
}

/* A unit of the queue's virtual time is one of all that take part, the charged VM included. */

void share_charge_work(struct share_queue *queue, struct share *share, uint64_t ticks)
{
	share_activate(queue, share);
	share_charge(queue, share, ticks);
	share_deactivate(queue, share);
}

void share_charge_end(struct share_queue *queue, uint16_t weight, uint64_t ticks)
{
	queue->weights += weight;
	advance(queue, ticks);
	queue->weights -= weight;
}

bool share_yields(const struct share_queue *queue, const struct share *share)
{
	return share->last != NULL || deadline_next(&queue->turns) <= share->turn.at;
}
