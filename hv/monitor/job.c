/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/job.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/monitor/say.h"

#define TURN_US	    100
#define WAITING_MAX 4096 /* bytes in the console's buffer before a step */

static const struct job *current;     /* NULL: none */
static const struct listener *hearer; /* of the current job */

void job_begin(const struct job *job)
{
	assert(current == NULL);
	current = job;
	hearer = say_listener();
}

bool job_is_running(void)
{
	return current != NULL;
}

bool job_is_for(const struct listener *listener)
{
	return current != NULL && hearer == listener;
}

static void end(void)
{
	const struct job *job = current;

	current = NULL;
	if (job->end)
		job->end();
}

static void work(void)
{
	uint64_t begin = rdtsc();
	enum job_state state;

	if (!job_has_room())
		return;
	do
		state = current->step();
	while (state == JOB_GOES_ON && job_has_room() &&
	       rdtsc() - begin < tsc_hz / 1000000 * TURN_US);
	if (state == JOB_IS_DONE)
		end();
}

void job_work(void)
{
	const struct listener *before;

	if (current == NULL)
		return;
	before = say_to(hearer);
	work();
	(void)say_to(before);
}

bool job_can_be_interrupted(void)
{
	return job_is_for(NULL) && !current->is_configured;
}

bool job_interrupt(void)
{
	if (!job_can_be_interrupted())
		return false;
	end();
	say("Interrupted");
	return true;
}

bool job_has_room(void)
{
	static uint64_t full_since; /* host TSC */
	static size_t last;
	size_t waiting = console_waiting();
	uint64_t now = rdtsc();

	if (waiting < WAITING_MAX || waiting < last)
		full_since = now;
	last = waiting;
	return say_has_room() && (waiting < WAITING_MAX || now - full_since > 2 * tsc_hz);
}
