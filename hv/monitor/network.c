/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/network.h"

#include "hv/monitor/job.h"
#include "hv/monitor/say.h"
#include "hv/net/hub.h"

/* Of the current job: the next port. */
static unsigned hub, slot;
static bool has_title; /* of the hub */

static void say_port(const struct net_port_line *line)
{
	const struct net_counts *counts = &line->counts;

	say(" \\ %s: virtio-net-device.%u: %u addresses, %lu frames received, %lu sent, "
	    "%lu dropped, %lu malformed",
	    line->name, line->device, line->n_addresses, counts->n_received, counts->n_sent,
	    counts->n_dropped, counts->n_malformed);
}

static enum job_state list_port(void)
{
	struct net_port_line line;

	if (!net_describe(hub, &slot, &line)) {
		slot = 0;
		has_title = false;
		return ++hub < NET_HUBS ? JOB_GOES_ON : JOB_IS_DONE;
	}
	if (!has_title) {
		has_title = true;
		say("hub %u", hub);
		return JOB_GOES_ON;
	}
	say_port(&line);
	slot++;
	return JOB_GOES_ON;
}

void answer_network(void)
{
	static const struct job job = {.step = list_port};

	hub = slot = 0;
	has_title = false;
	job_begin(&job);
}
