/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/map_job.h"

#include "hv/monitor/job.h"
#include "hv/vm/map.h"

static enum job_state step(void)
{
	return map_finish_some() ? JOB_GOES_ON : JOB_IS_DONE;
}

void map_job_begin_due(void)
{
	static const struct job job = {.step = step, .is_configured = true};

	if (map_is_done())
		job_begin(&job);
}
