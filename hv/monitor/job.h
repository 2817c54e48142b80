/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"
#include "hv/monitor/say.h"

/*
 * The monitor's commands that take long, in steps between which guests run and keys are read. One
 * at a time, all on the boot processor.
 */
enum job_state {
	JOB_GOES_ON,
	JOB_WAITS, /* the next step has nothing to do yet */
	JOB_IS_DONE,
};

struct job {
	/*
	 * Do a little, and say at most JOB_SAY_MAX bytes. No lock is held before or after. After
	 * JOB_IS_DONE there is no other step.
	 */
	enum job_state (*step)(void);
	/* Release what the job has. After the last step, or instead of the others. May be NULL. */
	void (*end)(void);
	bool is_configured; /* the operator cannot interrupt it */
};
#define JOB_SAY_MAX 4096

/*
 * Let the job be the current one; there is none yet. It must last. Its listener is the one of say()
 * now. Any lock may be held.
 */
void job_begin(const struct job *job);
bool job_is_running(void);
/* The same for a job that this one hears; NULL: the console. */
bool job_is_for(const struct listener *listener);
/* Do steps of the current job for a while, as long as job_has_room(). No lock is held. */
void job_work(void);
/* Whether there is a job, and the operator began it at the console. */
bool job_can_be_interrupted(void);
/* End that job after its last step, and say so. False: there is none. */
bool job_interrupt(void);

/*
 * Whether console and listener take JOB_SAY_MAX bytes without a wait and without a loss. True also
 * if the console's port takes nothing for two seconds: then they are lost, but the monitor can be
 * used.
 */
bool job_has_room(void);
