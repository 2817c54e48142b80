/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/cpu.h"
#include "hv/vm/vm.h"

/*
 * A machine whose processors, devices and guests are played: threads, or one thread that is each
 * processor in turn. Frames, trees, the scheduler, VPIDs, and the life of VMs are the
 * hypervisor's own: hv/vm/template.c, hv/vm/life.c and what they need.
 */
#define MACHINE_CPUS 256

/* So many processors, each on the next node of these, with so much memory a node. */
void machine_begin(unsigned n_processors, unsigned n_nodes, uint64_t node_size);

/* The calling thread is this processor from now on. */
void machine_be(unsigned index);

/*
 * A template that has written so many pages, and makes 'count' clones, of which at most 'parallel'
 * are there at a time. Each of them writes n_writes of those pages, is reverted n_reverts times,
 * writes as much again each time, and ends.
 */
struct machine_work {
	unsigned n_pages, n_writes, n_reverts, count, parallel;
};
void machine_start(const struct machine_work *work);

/* The turn of one vCPU on this processor, as hv/processor.c gives it. False: none is ready. */
bool machine_turn(void);

/* What a processor does after a turn: it frees a part of a template that nothing holds. */
void machine_look_around(void);

/* No vCPU is left, and no template is being freed. */
bool machine_is_finished(void);

/* The operator destroys the template: its clones live on, and it gets no new ones. */
void machine_give_up(void);

/* From now on there are news. Before the first thread. */
void machine_hear(void);

/*
 * The operator hears the news, sums up what all VMs have used, looks for a template, and stops some
 * VMs and lets them continue.
 */
void machine_operate(void);

/* Free the template, whose clones have ended. */
void machine_end(void);

extern uint64_t machine_n_ended; /* clones; atomic */
extern uint64_t machine_n_wrong; /* pages that were not as they must be; atomic */
