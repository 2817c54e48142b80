/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/job.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/monitor/say.h"

#define TURN_US	    100
#define WAITING_MAX 4096 /* bytes in the console's buffer before a step */

static const struct job *current; /* NULL: none */

void job_begin(const struct job *job)
{
	assert(current == NULL);
	current = job;
}

bool job_is_running(void)
{
	return current != NULL;
}

static void end(void)
{
	const struct job *job = current;

	current = NULL;
	if (job->end)
		job->end();
}

void job_work(void)
{
	uint64_t begin = rdtsc();
	enum job_state state;

	if (current == NULL || !job_has_room())
		return;
	do
		state = current->step();
	while (state == JOB_GOES_ON && job_has_room() &&
	       rdtsc() - begin < tsc_hz / 1000000 * TURN_US);
	if (state == JOB_IS_DONE)
		end();
}

bool job_interrupt(void)
{
	if (current == NULL || current->is_configured)
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
	return waiting < WAITING_MAX || now - full_since > 2 * tsc_hz;
}
